/** Bounds on what a command and the state may hold. Part of the replicated rules: every replica must use the same numbers. */

export interface DocumentLimits {
  /** How many accepted updates are kept for rebasing. */
  readonly windowUpdatesMax: number;
  /** How much JSON those may be together, in UTF-16 units. The newest update is kept whatever its size. */
  readonly windowJsonMax: number;
  /** Length of the text, in UTF-16 units. */
  readonly textLengthMax: number;
  /** How many editors' progress is remembered. */
  readonly sessionsMax: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  windowUpdatesMax: 10_000,
  windowJsonMax: 4 * 1024 * 1024,
  textLengthMax: 16 * 1024 * 1024,
  sessionsMax: 4_096,
};

/** Updates in one command. A longer list is sent in parts, the oldest first. */
export const COMMAND_UPDATES_MAX = 1_000;
/** Inserted UTF-16 units plus the parts of the change sets, in one command. */
export const COMMAND_SIZE_MAX = 1024 * 1024;
/** Accepted updates since the base, times updates in the command: what one rebase may cost, about a second. */
export const REBASE_STEPS_MAX = 1_000_000;
/** No command that this code writes is longer: the largest insert with every unit escaped, and room for the rest. */
export const COMMAND_BYTES_MAX = 16 * 1024 * 1024;

export const CLIENT_ID_LENGTH_MIN = 8;
export const CLIENT_ID_LENGTH_MAX = 64;
export const AUTHOR_LENGTH_MAX = 64;

export const COLOR_MAX = 255;

/** Beyond so many runs of authors, looked at each time so many updates were accepted, neighbours are joined. */
export const AUTHOR_RUNS_MAX = 20_000;
export const AUTHORS_THINNED_EVERY = 4_096;

/** The rule of history.ts. */
export const STEP_UPDATES_MAX = 50;
export const STEP_SPAN_MS_MAX = 60_000;
export const STEP_AUTHORS_MAX = 8;
export const HISTORY_STEPS_PER_WEIGHT = 64;
export const HISTORY_JSON_MAX = 4 * 1024 * 1024;

export const KEY_LENGTH_MAX = 256;
/** One value of the map as JSON, in UTF-16 units. */
export const VALUE_JSON_MAX = 64 * 1024;
export const VALUE_DEPTH_MAX = 16;
/** All keys and values of the map together, in UTF-16 units of JSON. */
export const MAP_JSON_MAX = 1024 * 1024;
