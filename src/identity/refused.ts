/** Why a token proves nothing, as the rest of the sentence "The subject token …". The front door makes it a BrokerError. */
export class Refused extends Error {
  override name = 'Refused';
}
