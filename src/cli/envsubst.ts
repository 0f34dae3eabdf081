import { type CliContext, type CliResult, type Command, done, failed } from './command.ts';

async function run(context: CliContext): Promise<CliResult> {
  const { substitute } = await import('../engine/envsubst/evaluate.ts');
  const text = await context.readStdin();
  if (!text.ok) return text;
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(context.env)) if (value !== undefined) variables.set(name, value);
  const result = substitute(text.value, variables, { strict: context.flags.bool('strict') });
  if (!result.ok) return failed(result.error.message);
  context.print(result.value);
  return done;
}

export const envsubstCommand: Command = {
  use: 'envsubst',
  short: 'envsubst substitutes the values of environment variables',
  long: `The envsubst command substitutes the values of environment variables
in the string piped as standard input and writes the result to the standard output. This command can be used
to replicate the behavior of the Kustomization post-build substitutions.`,
  example: `  # Run env var substitutions on the kustomization build output
  export cluster_region=eu-central-1
  weir kustomize build . | weir envsubst

  # Run env var substitutions and error out if a variable is not set
  weir kustomize build . | weir envsubst --strict`,
  args: { min: 0, max: 0 },
  raw: true,
  flags: [
    {
      name: 'strict',
      type: 'bool',
      usage: 'fail if a variable without a default value is declared in the input but is missing from the environment',
    },
  ],
  run,
};
