import { err, type Result } from '../base/result.ts';
import type { CloudPorts } from './cloud-ports.ts';
import { type Account, type Principal, principalKey, type ServiceAccounts } from './principal.ts';
import { type Expiring, TokenCache } from './token-cache.ts';

type Made<T> = Promise<Result<Expiring<T>, string>>;

/** How a service account becomes somebody in a cloud. */
export interface Exchange<T> {
  /** Who that is, by the annotations: another one is given another token. */
  readonly identity: string;
  /** What is needed once a token is made: for whom the cluster's token has to be, and who takes it. */
  readonly prepare: () => Promise<
    Result<{ readonly audience: string; readonly take: (token: string) => Made<T> }, string>
  >;
}

/** How one cloud gives tokens. */
export interface Makers<T> {
  /** For the engine, by its environment. */
  readonly engine: () => Made<T>;
  /** For a service account; the error says what is wrong with its annotations. */
  readonly account: (account: Account) => Result<Exchange<T>, string>;
}

/** Tokens of one cloud for whoever asks, kept until shortly before they end. Source: fluxcd/pkg@auth/v0.54.0 auth/access_token.go. */
export class PrincipalTokens<T> {
  readonly #accounts: ServiceAccounts;
  readonly #cache: TokenCache<T>;

  constructor(ports: CloudPorts, accounts: ServiceAccounts) {
    this.#accounts = accounts;
    this.#cache = new TokenCache({ ...ports.tokens, clock: ports.clock });
  }

  /** `what` says all that the token is for. */
  async of(principal: Principal, what: string, makers: Makers<T>): Promise<Result<T, string>> {
    const failed = 'failed to create provider access token for';
    if (principal.kind === 'engine') {
      return this.#cache.get(`engine\n${what}`, async () => {
        const made = await makers.engine();
        return made.ok ? made : err(`${failed} the controller: ${made.error}`);
      });
    }
    const account = await this.#accounts.read(principal);
    if (!account.ok) return account;
    const who = `service account '${principalKey(principal)}'`;
    const exchange = makers.account(account.value);
    if (!exchange.ok) return err(`failed to get provider identity from ${who} annotations: ${exchange.error}`);
    const { identity, prepare } = exchange.value;
    return this.#cache.get(`account\n${principalKey(principal)}\n${identity}\n${what}`, async () => {
      const prepared = await prepare();
      if (!prepared.ok) return prepared;
      const token = await this.#accounts.token(account.value, [prepared.value.audience]);
      if (!token.ok) return token;
      const made = await prepared.value.take(token.value.value);
      return made.ok ? made : err(`${failed} ${who}: ${made.error}`);
    });
  }

  /** A token for credentials that are no principal's; `key` tells them from all others. */
  ofCredentials(key: string, make: () => Made<T>): Promise<Result<T, string>> {
    return this.#cache.get(`credentials\n${key}`, make);
  }
}
