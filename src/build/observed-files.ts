import { type FileTree, realPath } from '../base/files.ts';

/**
 * What a build asked of its files, and what it was told: question and path -> answer, contents as hashes. While another tree gives
 * the same answers, a build of it gives the same result.
 */
export type Observations = readonly (readonly [question: string, answer: string])[];

/** Makes a tree that writes down what is asked of it. `hash` identifies contents. */
export function observeFiles(
  files: FileTree,
  hash: (content: Uint8Array | string) => string,
): { readonly files: FileTree; readonly observations: () => Observations } {
  const seen = new Map<string, string>();
  const note = <T>(letter: Letter, path: string, value: T): T => {
    const question = `${letter}${path}`;
    if (!seen.has(question)) seen.set(question, print(value, hash));
    return value;
  };
  return {
    files: {
      kind: (path) => note('k', path, files.kind(path)),
      read: (path) => note('r', path, files.read(path)),
      list: (directory) => note('l', directory, files.list(directory)),
      realPath: (path) => note('p', path, realPath(files, path)),
    },
    observations: () => [...seen],
  };
}

/** Answers questions as {@link Observations} has them. */
export type Answers = (question: string) => string;

/** Asks files that do not change; what was asked once is not asked again. */
export function answersOf(files: FileTree, hash: (content: Uint8Array | string) => string): Answers {
  const known = new Map<string, string>();
  return (question) => {
    let answer = known.get(question);
    if (answer === undefined) {
      answer = print(ask(files, question[0] as Letter, question.slice(1)), hash);
      known.set(question, answer);
    }
    return answer;
  };
}

/** Whether the answers are those that were noted. Costs as much as the build asked, whatever else the tree holds. */
export function answersAlike(answers: Answers, observations: Observations): boolean {
  return observations.every(([question, answer]) => answers(question) === answer);
}

/** Kind, content, names of a directory, path with links followed. */
type Letter = 'k' | 'r' | 'l' | 'p';

function ask(files: FileTree, letter: Letter, path: string): unknown {
  switch (letter) {
    case 'k':
      return files.kind(path);
    case 'r':
      return files.read(path);
    case 'l':
      return files.list(path);
    case 'p':
      return realPath(files, path);
  }
}

function print(value: unknown, hash: (content: Uint8Array | string) => string): string {
  if (value === undefined) return '';
  if (value instanceof Uint8Array) return hash(value);
  return typeof value === 'string' ? `=${value}` : hash(JSON.stringify(value));
}
