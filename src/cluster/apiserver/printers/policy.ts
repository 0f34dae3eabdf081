import type { Json, JsonObject } from '../../../base/json.ts';
import { at, stringAt } from '../../../base/json.ts';
import { printSelector } from '../selector-text.ts';
import { humanDuration } from './age.ts';
import { list, number, orNone, text } from './fields.ts';
import { type Cells, created, nameOf, simple } from './printer.ts';

export const roleBindingCells: Cells = simple(
  (object) => [`${text(object, 'roleRef', 'kind')}/${text(object, 'roleRef', 'name')}`],
  (object) => {
    const of = (kind: string): string =>
      list(object, 'subjects')
        .filter((one) => stringAt(one, 'kind') === kind)
        .map((one) =>
          kind === 'ServiceAccount' ? `${text(one, 'namespace')}/${text(one, 'name')}` : text(one, 'name'),
        )
        .join(', ');
    return [of('User'), of('Group'), of('ServiceAccount')];
  },
);

export const webhookCells: Cells = simple((object) => [list(object, 'webhooks').length]);

export const validatingPolicyCells: Cells = simple((object) => [
  list(object, 'spec', 'validations').length,
  paramKind(object),
]);

export const mutatingPolicyCells: Cells = simple((object) => [
  list(object, 'spec', 'mutations').length,
  paramKind(object),
]);

function paramKind(object: JsonObject): string {
  const kind = at(object, 'spec', 'paramKind');
  return kind === undefined ? '<unset>' : `${text(kind, 'apiVersion')}/${text(kind, 'kind')}`;
}

export const policyBindingCells: Cells = simple((object) => [text(object, 'spec', 'policyName'), paramRef(object)]);

/** Whether a parameter has a namespace cannot be told from here: one without shows a star. */
function paramRef(object: JsonObject): string {
  const reference = at(object, 'spec', 'paramRef');
  const name = text(reference, 'name');
  if (name !== '') return `${text(reference, 'namespace') || '*'}/${name}`;
  const selector = at(reference, 'selector');
  return selector === undefined ? '<unset>' : printSelector(selector);
}

export const flowSchemaCells: Cells = (object, now) => {
  const dangling = list(object, 'status', 'conditions').find((one) => stringAt(one, 'type') === 'Dangling');
  return [
    nameOf(object),
    text(object, 'spec', 'priorityLevelConfiguration', 'name'),
    number(object, 'spec', 'matchingPrecedence'),
    orNone(text(object, 'spec', 'distinguisherMethod', 'type')),
    created(object, now),
    text(dangling, 'status') || '?',
  ];
};

export const priorityLevelCells: Cells = simple((object) => {
  const limited = at(object, 'spec', 'limited');
  const queuing = at(limited, 'limitResponse', 'queuing');
  const or = (value: Json | undefined): Json => value ?? '<none>';
  return [
    text(object, 'spec', 'type'),
    or(at(limited, 'nominalConcurrencyShares')),
    or(at(queuing, 'queues')),
    or(at(queuing, 'handSize')),
    or(at(queuing, 'queueLengthLimit')),
  ];
});

export const signingRequestCells: Cells = (object, now) => {
  const seconds = at(object, 'spec', 'expirationSeconds');
  return [
    nameOf(object),
    created(object, now),
    orNone(text(object, 'spec', 'signerName')),
    text(object, 'spec', 'username'),
    seconds === undefined ? '<none>' : humanDuration(number(object, 'spec', 'expirationSeconds') * 1000),
    signingStatus(object),
  ];
};

function signingStatus(object: JsonObject): string {
  const has = (type: string): boolean =>
    list(object, 'status', 'conditions').some((one) => stringAt(one, 'type') === type);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  const issued = text(object, 'status', 'certificate') === '' ? '' : ',Issued';
  return `${decision}${has('Failed') ? ',Failed' : ''}${issued}`;
}

export const budgetCells: Cells = simple((object) => [
  text(object, 'spec', 'minAvailable') || 'N/A',
  text(object, 'spec', 'maxUnavailable') || 'N/A',
  number(object, 'status', 'disruptionsAllowed'),
]);
