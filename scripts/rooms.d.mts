/** The shape of the table in rooms.mjs, for the test that reads it. */
export declare const ROOMS: readonly { room: string; sees: readonly string[]; face?: string }[];
