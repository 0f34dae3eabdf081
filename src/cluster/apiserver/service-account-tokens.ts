/** Signs and checks the tokens of service accounts. */
export interface ServiceAccountTokens {
  /** The public keys, as `/openid/v1/jwks` serves them. */
  jwks(): string;
  /** The document of `/.well-known/openid-configuration`. */
  configuration(): string;
}
