export type Match = Record<'exact' | 'sound' | 'near', string>;
