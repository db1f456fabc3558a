/**
 * What became of each editor's updates: how many of them the document has, in their order. So an update counts once however often and however
 * late it is sent, also when the window has forgotten it. Replicated state, bounded by the log alone: the longest idle is forgotten.
 */

export interface EditorSession {
  /** How many updates of this editor the document has. */
  readonly accepted: number;
  /** The editor that took over its unconfirmed updates; nothing more is accepted of this one. */
  readonly replacedBy: string | null;
}

const NONE: EditorSession = { accepted: 0, replacedBy: null };

export class EditorSessions {
  /** Longest idle first. */
  private readonly sessions: Map<string, EditorSession>;

  constructor(
    entries: readonly (readonly [clientId: string, session: EditorSession])[],
    private readonly countMax: number,
    /** Whether any session was forgotten: an unknown editor may have been known once. */
    public hasForgotten: boolean,
  ) {
    this.sessions = new Map(entries);
  }

  /** `null`: unknown. */
  get(clientId: string): EditorSession | null {
    return this.sessions.get(clientId) ?? null;
  }

  accept(clientId: string, accepted: number): void {
    this.put(clientId, { ...(this.get(clientId) ?? NONE), accepted });
  }

  replace(clientId: string, replacedBy: string): void {
    this.put(clientId, { ...(this.get(clientId) ?? NONE), replacedBy });
  }

  entries(): readonly (readonly [clientId: string, session: EditorSession])[] {
    return [...this.sessions];
  }

  private put(clientId: string, session: EditorSession): void {
    this.sessions.delete(clientId);
    this.sessions.set(clientId, session);
    if (this.sessions.size <= this.countMax) return;
    const [oldest] = this.sessions.keys();
    if (oldest !== undefined) this.sessions.delete(oldest);
    this.hasForgotten = true;
  }
}
