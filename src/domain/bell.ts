/** One bell for all who wait: what `bell` returns resolves at the next `ring`. */
export interface Bell {
  bell: () => Promise<void>;
  ring: () => void;
}

export function createBell(): Bell {
  let ring: () => void = () => undefined;
  const next = () => new Promise<void>((resolve) => (ring = resolve));
  let bell = next();
  return {
    bell: () => bell,
    ring() {
      const rung = ring;
      bell = next();
      rung();
    },
  };
}
