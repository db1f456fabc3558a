/** A friendly name for a tab until its person gives another: somebody to whom computing owes something. */

export const NAME_LENGTH_MAX = 40;

const NAMES = [
  "Ada",
  "Alan",
  "Anita",
  "Annie",
  "Barbara",
  "Betty",
  "Claude",
  "Donald",
  "Dorothy",
  "Edith",
  "Edsger",
  "Evelyn",
  "Frances",
  "Grace",
  "Hedy",
  "Jean",
  "John",
  "Karen",
  "Katherine",
  "Kathleen",
  "Leslie",
  "Lynn",
  "Margaret",
  "Mary",
  "Nancy",
  "Radia",
  "Shafi",
  "Sister Mary",
  "Sophie",
  "Tony",
] as const;

/** @param random any non-negative integer. */
export function nameFrom(random: number): string {
  return NAMES[random % NAMES.length] ?? NAMES[0];
}

/** What a person typed, as a name that all nodes accept; `null` if nothing is left of it. */
export function cleanName(typed: string): string | null {
  const name = typed.replace(/\s+/g, " ").trim().slice(0, NAME_LENGTH_MAX).trim();
  return name === "" ? null : name;
}
