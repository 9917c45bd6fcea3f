import type { Question } from "../bindings/Question";

/** The question of this kind. */
export type Asked<Kind extends Question["ask"]> = Extract<Question, { ask: Kind }>;
