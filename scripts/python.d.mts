export const WHEELS: string;
export const PACKAGES: string;
export const TEMPORAL_JARS: string;
export function findPython(modules?: string[]): string | undefined;
export function packagesOf(folder: string): string;
export function hasWheels(): boolean;
export function hasPackages(): boolean;
export function fetchForPython(): void;
export function fetchPackages(folder: string): boolean;
