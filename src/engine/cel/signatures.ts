import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  list,
  map,
  opaque,
  optional,
  parameter,
  STRING,
  TIMESTAMP,
  typeOfType,
  UINT,
} from './types.ts';

/** One way to call a function. */
export interface Overload {
  readonly member: boolean;
  /** The target first, for a member. */
  readonly args: readonly CelType[];
  readonly result: CelType;
}

/** Which libraries an environment has: Kubernetes' own choice, that with what mutations make objects of, or everything that cel-go ships. */
export type Libraries = 'kubernetes' | 'mutations' | 'all';

/**
 * `NAME ARGS RESULT`, one overload a line; a dot before the name marks a member function. Capital letters are type parameters.
 * (cel-go@0.26 common/stdlib/standard.go, cel/library.go, ext; apiserver@0.34 pkg/cel/library)
 */
const SHARED = `
!_ (bool) bool
-_ (double) double
-_ (int) int
_==_ (A,A) bool
_!=_ (A,A) bool
_?_:_ (bool,A,A) A
_[_] (list(A),int) A
_[_] (map(A,B),A) B
_[_] (optional(list(A)),int) optional(A)
_[_] (optional(map(A,B)),A) optional(B)
_[?_] (list(A),int) optional(A)
_[?_] (optional(list(A)),int) optional(A)
_[?_] (map(A,B),A) optional(B)
_[?_] (optional(map(A,B)),A) optional(B)
@in (A,list(A)) bool
@in (A,map(A,B)) bool
_+_ (bytes,bytes) bytes
_+_ (double,double) double
_+_ (duration,duration) duration
_+_ (duration,timestamp) timestamp
_+_ (timestamp,duration) timestamp
_+_ (int,int) int
_+_ (list(A),list(A)) list(A)
_+_ (string,string) string
_+_ (uint,uint) uint
_-_ (double,double) double
_-_ (duration,duration) duration
_-_ (int,int) int
_-_ (timestamp,duration) timestamp
_-_ (timestamp,timestamp) duration
_-_ (uint,uint) uint
_*_ (double,double) double
_*_ (int,int) int
_*_ (uint,uint) uint
_/_ (double,double) double
_/_ (int,int) int
_/_ (uint,uint) uint
_%_ (int,int) int
_%_ (uint,uint) uint
size (bytes) int
.size (bytes) int
size (list(A)) int
.size (list(A)) int
size (map(A,B)) int
.size (map(A,B)) int
size (string) int
.size (string) int
type (A) type(A)
bool (bool) bool
bool (string) bool
bytes (bytes) bytes
bytes (string) bytes
double (double) double
double (int) double
double (string) double
double (uint) double
duration (duration) duration
duration (int) duration
duration (string) duration
dyn (A) dyn
int (int) int
int (double) int
int (duration) int
int (string) int
int (timestamp) int
int (uint) int
string (string) string
string (bool) string
string (bytes) string
string (double) string
string (duration) string
string (int) string
string (timestamp) string
string (uint) string
string (ip) string
string (cidr) string
timestamp (timestamp) timestamp
timestamp (int) timestamp
timestamp (string) timestamp
uint (uint) uint
uint (double) uint
uint (int) uint
uint (string) uint
.contains (string,string) bool
.endsWith (string,string) bool
.startsWith (string,string) bool
matches (string,string) bool
.matches (string,string) bool
.getFullYear (timestamp) int
.getFullYear (timestamp,string) int
.getMonth (timestamp) int
.getMonth (timestamp,string) int
.getDayOfYear (timestamp) int
.getDayOfYear (timestamp,string) int
.getDayOfMonth (timestamp) int
.getDayOfMonth (timestamp,string) int
.getDate (timestamp) int
.getDate (timestamp,string) int
.getDayOfWeek (timestamp) int
.getDayOfWeek (timestamp,string) int
.getHours (timestamp) int
.getHours (timestamp,string) int
.getHours (duration) int
.getMinutes (timestamp) int
.getMinutes (timestamp,string) int
.getMinutes (duration) int
.getSeconds (timestamp) int
.getSeconds (timestamp,string) int
.getSeconds (duration) int
.getMilliseconds (timestamp) int
.getMilliseconds (timestamp,string) int
.getMilliseconds (duration) int
optional.of (A) optional(A)
optional.ofNonZeroValue (A) optional(A)
optional.none () optional(A)
.value (optional(A)) A
.hasValue (optional(A)) bool
.or (optional(A),optional(A)) optional(A)
.orValue (optional(A),A) A
.first (list(A)) optional(A)
.last (list(A)) optional(A)
optional.unwrap (list(optional(A))) list(A)
.unwrapOpt (list(optional(A))) list(A)
.charAt (string,int) string
.indexOf (string,string) int
.indexOf (string,string,int) int
.indexOf (list(A),A) int
.lastIndexOf (string,string) int
.lastIndexOf (string,string,int) int
.lastIndexOf (list(A),A) int
.lowerAscii (string) string
.replace (string,string,string) string
.replace (string,string,string,int) string
.split (string,string) list(string)
.split (string,string,int) list(string)
.substring (string,int) string
.substring (string,int,int) string
.trim (string) string
.upperAscii (string) string
.format (string,list(dyn)) string
strings.quote (string) string
.join (list(string)) string
.join (list(string),string) string
sets.contains (list(A),list(A)) bool
sets.equivalent (list(A),list(A)) bool
sets.intersects (list(A),list(A)) bool
.find (string,string) string
.findAll (string,string) list(string)
.findAll (string,string,int) list(string)
url (string) url
isURL (string) bool
.getScheme (url) string
.getHost (url) string
.getHostname (url) string
.getPort (url) string
.getEscapedPath (url) string
.getQuery (url) map(string,list(string))
quantity (string) quantity
isQuantity (string) bool
sign (quantity) int
.isGreaterThan (quantity,quantity) bool
.isLessThan (quantity,quantity) bool
.compareTo (quantity,quantity) int
.asApproximateFloat (quantity) double
.asInteger (quantity) int
.isInteger (quantity) bool
.add (quantity,quantity) quantity
.add (quantity,int) quantity
.sub (quantity,quantity) quantity
.sub (quantity,int) quantity
ip (string) ip
isIP (string) bool
.family (ip) int
ip.isCanonical (string) bool
.isUnspecified (ip) bool
.isLoopback (ip) bool
.isLinkLocalMulticast (ip) bool
.isLinkLocalUnicast (ip) bool
.isGlobalUnicast (ip) bool
cidr (string) cidr
isCIDR (string) bool
.containsIP (cidr,string) bool
.containsIP (cidr,ip) bool
.containsCIDR (cidr,string) bool
.containsCIDR (cidr,cidr) bool
.ip (cidr) ip
.prefixLength (cidr) int
.masked (cidr) cidr
.validate (format,string) optional(list(string))
format.named (string) optional(format)
semver (string) semver
semver (string,bool) semver
isSemver (string) bool
isSemver (string,bool) bool
.isGreaterThan (semver,semver) bool
.isLessThan (semver,semver) bool
.compareTo (semver,semver) int
.major (semver) int
.minor (semver) int
.patch (semver) int
.path (authorizer,string) pathcheck
.group (authorizer,string) groupcheck
.serviceAccount (authorizer,string,string) authorizer
.resource (groupcheck,string) resourcecheck
.subresource (resourcecheck,string) resourcecheck
.namespace (resourcecheck,string) resourcecheck
.name (resourcecheck,string) resourcecheck
.fieldSelector (resourcecheck,string) resourcecheck
.labelSelector (resourcecheck,string) resourcecheck
.check (pathcheck,string) decision
.check (resourcecheck,string) decision
.errored (decision) bool
.error (decision) string
.allowed (decision) bool
.reason (decision) string
`;

/**
 * What cel-go ships and Kubernetes 1.34 leaves out of new expressions: they may only use what the version before knew, and the list
 * functions came with 1.34. (apiserver@0.34 pkg/cel/environment/base.go, environment.NewExpressions)
 */
const EXTENSIONS = `
.slice (list(A),int,int) list(A)
.flatten (list(list(A))) list(A)
.flatten (list(dyn),int) list(dyn)
lists.range (int) list(int)
.reverse (list(A)) list(A)
.distinct (list(A)) list(A)
.reverse (string) string
base64.encode (bytes) string
base64.decode (string) bytes
math.greatest (A) A
math.greatest (list(A)) A
math.greatest (A,B) dyn
math.greatest (A,B,C) dyn
math.greatest (A,B,C,D) dyn
math.least (A) A
math.least (list(A)) A
math.least (A,B) dyn
math.least (A,B,C) dyn
math.least (A,B,C,D) dyn
math.ceil (double) double
math.floor (double) double
math.round (double) double
math.trunc (double) double
math.sqrt (double) double
math.sqrt (int) double
math.sqrt (uint) double
math.isInf (double) bool
math.isNaN (double) bool
math.isFinite (double) bool
math.abs (double) double
math.abs (int) int
math.abs (uint) uint
math.sign (double) double
math.sign (int) int
math.sign (uint) uint
math.bitAnd (int,int) int
math.bitAnd (uint,uint) uint
math.bitOr (int,int) int
math.bitOr (uint,uint) uint
math.bitXor (int,int) int
math.bitXor (uint,uint) uint
math.bitNot (int) int
math.bitNot (uint) uint
math.bitShiftLeft (int,int) int
math.bitShiftLeft (uint,int) uint
math.bitShiftRight (int,int) int
math.bitShiftRight (uint,int) uint
`;

const ESCAPE_KEY = 'jsonpatch.escapeKey (string) string';

const NAMED: { readonly [name: string]: CelType } = {
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  dyn: DYN,
  timestamp: TIMESTAMP,
  duration: DURATION,
  quantity: opaque('kubernetes.Quantity'),
  url: opaque('kubernetes.URL'),
  ip: opaque('net.IP'),
  cidr: opaque('net.CIDR'),
  format: opaque('kubernetes.NamedFormat'),
  semver: opaque('kubernetes.Semver'),
  authorizer: opaque('kubernetes.authorization.Authorizer'),
  pathcheck: opaque('kubernetes.authorization.PathCheck'),
  groupcheck: opaque('kubernetes.authorization.GroupCheck'),
  resourcecheck: opaque('kubernetes.authorization.ResourceCheck'),
  decision: opaque('kubernetes.authorization.Decision'),
};
const NUMBERS = ['int', 'uint', 'double'];
const ORDERED = ['bool', 'string', 'bytes', 'timestamp', 'duration'];
const FORMATS = [
  'dns1123Label',
  'dns1123Subdomain',
  'dns1035Label',
  'qualifiedName',
  'dns1123LabelPrefix',
  'dns1123SubdomainPrefix',
  'dns1035LabelPrefix',
  'labelValue',
  'uri',
  'uuid',
  'byte',
  'date',
  'datetime',
];

function typeIn(text: string): CelType {
  const open = text.indexOf('(');
  if (open < 0) return NAMED[text] ?? parameter(text);
  const inner = split(text.slice(open + 1, -1)).map(typeIn);
  const [first = DYN, second = DYN] = inner;
  switch (text.slice(0, open)) {
    case 'list':
      return list(first);
    case 'map':
      return map(first, second);
    case 'type':
      return typeOfType(first);
    default:
      return optional(first);
  }
}

/** At the commas that stand outside of parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const character = text[index];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if ((character === ',' || character === undefined) && depth === 0) {
      if (index > start) parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return parts;
}

function comparisons(libraries: Libraries): string {
  const lines: string[] = [];
  for (const operator of ['_<_', '_<=_', '_>_', '_>=_']) {
    for (const type of ORDERED) lines.push(`${operator} (${type},${type}) bool`);
    for (const a of NUMBERS) for (const b of NUMBERS) lines.push(`${operator} (${a},${b}) bool`);
  }
  for (const type of [...NUMBERS, ...ORDERED]) {
    lines.push(`.isSorted (list(${type})) bool`);
    lines.push(`.min (list(${type})) ${type}`, `.max (list(${type})) ${type}`);
  }
  for (const type of [...NUMBERS, 'duration']) lines.push(`.sum (list(${type})) ${type}`);
  if (libraries === 'all')
    for (const type of [...NUMBERS, ...ORDERED]) lines.push(`.sort (list(${type})) list(${type})`);
  for (const format of FORMATS) lines.push(`format.${format} () format`);
  return lines.join('\n');
}

const tables = new Map<Libraries, ReadonlyMap<string, readonly Overload[]>>();

/** Overloads by function name. */
export function signatures(libraries: Libraries): ReadonlyMap<string, readonly Overload[]> {
  const known = tables.get(libraries);
  if (known !== undefined) return known;
  const out = new Map<string, Overload[]>();
  const text = `${SHARED}\n${comparisons(libraries)}\n${libraries === 'all' ? EXTENSIONS : ''}\n${libraries === 'kubernetes' ? '' : ESCAPE_KEY}`;
  for (const line of text.split('\n')) {
    const [head = '', args = '', result = ''] = line.split(' ');
    if (head === '') continue;
    const member = head.startsWith('.');
    const name = member ? head.slice(1) : head;
    const overloads = out.get(name) ?? [];
    overloads.push({ member, args: split(args.slice(1, -1)).map(typeIn), result: typeIn(result) });
    out.set(name, overloads);
  }
  tables.set(libraries, out);
  return out;
}
