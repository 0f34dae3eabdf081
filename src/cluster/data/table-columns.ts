import { TABLE_COLUMNS } from './table-columns.generated.ts';

/** One column of a Table (meta.k8s.io/v1 TableColumnDefinition). */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, more only with `-o wide`. */
  readonly priority: number;
}

type Packed = readonly [name: string, type: Column['type'], format: string, description: number, priority: number];

let columns: { readonly [storage: string]: readonly Column[] } | undefined;

/** The columns with which a real server shows a built-in kind, by storage (`apps/deployments`, `/pods`). */
export function tableColumns(storage: string): readonly Column[] | undefined {
  if (columns === undefined) {
    const packed = JSON.parse(TABLE_COLUMNS) as {
      readonly texts: readonly string[];
      readonly columns: { readonly [storage: string]: readonly Packed[] };
    };
    columns = Object.fromEntries(
      Object.entries(packed.columns).map(([key, list]) => [
        key,
        list.map(([name, type, format, text, priority]) => ({
          name,
          type,
          format,
          description: packed.texts[text] ?? '',
          priority,
        })),
      ]),
    );
  }
  const like = LIKE[storage];
  return columns[storage] ?? (like === undefined ? undefined : columns[like]?.map(asMutations));
}

/** Kinds that are served only when asked for have the columns of these. */
const LIKE: { readonly [storage: string]: string } = {
  'admissionregistration.k8s.io/mutatingadmissionpolicies': 'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings':
    'admissionregistration.k8s.io/validatingadmissionpolicybindings',
};

function asMutations(column: Column): Column {
  return column.name === 'Validations'
    ? {
        ...column,
        name: 'Mutations',
        description: 'Mutation indicates the number of mutations rules defined in this configuration',
      }
    : column;
}
