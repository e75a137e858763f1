export const WHEELS: string;
export function findPython(): string | undefined;
export function hasWheels(): boolean;
export function fetchWheels(): void;
