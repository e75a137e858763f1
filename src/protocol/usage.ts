/** The bounds of one report of use (POST /usage): what a verifier gathers at most before it sends, and what the broker takes. */
export const USES_MOST = 100;
export const USE_COUNT_MOST = 1_000_000;
