/** What a caller of `Raft` may meet: few, typed, and each says what to do. One that says "not applied" is definite. */
import type { NodeId, Refusal } from "../raft/types.ts";

/** Not applied. Ask `leader`, if it is known; `command` is handed back. */
export class NotLeader extends Error {
  override readonly name = "NotLeader";
  constructor(
    readonly leader: NodeId | null,
    readonly command: unknown,
  ) {
    super(leader ? `this node is not the leader; ${leader} is` : "this node is not the leader, and knows of none");
  }
}

/** Not applied: the application's own `validate` said no. */
export class CommandRejected<AppError> extends Error {
  override readonly name = "CommandRejected";
  constructor(readonly error: AppError) {
    super(`the state machine rejected the command: ${String(error)}`);
  }
}

/** Not applied: no leader was found in time. Try again when a majority is back. */
export class NoQuorum extends Error {
  override readonly name = "NoQuorum";
  constructor(timeoutMs: number) {
    super(`no leader was found within ${timeoutMs} ms; the command was not applied`);
  }
}

/** No outcome was learned in time. With `mayHaveApplied` only a repeated command that changes nothing twice is safe. */
export class Timeout extends Error {
  override readonly name = "Timeout";
  constructor(readonly mayHaveApplied: boolean) {
    super(
      mayHaveApplied
        ? "no outcome was learned in time; the command may have been applied"
        : "no answer in time; nothing was applied",
    );
  }
}

/** The caller's own signal. */
export class Aborted extends Error {
  override readonly name = "Aborted";
  constructor(readonly mayHaveApplied: boolean) {
    super(mayHaveApplied ? "aborted; the command may have been applied" : "aborted before anything was applied");
  }
}

/** Not applied: too much is waiting already. Try again when some of it is done. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
  constructor() {
    super("too many commands are waiting; this one was not applied");
  }
}

/**
 * The command was not applied now: its client session has ended, after a very long silence or because too many others came. With `mayHaveApplied`
 * an earlier attempt may have been. The next command begins a new session by itself.
 */
export class SessionExpired extends Error {
  override readonly name = "SessionExpired";
  constructor(readonly mayHaveApplied: boolean) {
    super(
      mayHaveApplied
        ? "the session has ended; an earlier attempt may have been applied"
        : "the session has ended; nothing was applied",
    );
  }
}

/** Not applied: the command has more than `limit` bytes. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
  constructor(
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`the command has ${bytes} bytes; at most ${limit} are allowed`);
  }
}

/** The node is part of a cluster already. */
export class NotPristine extends Error {
  override readonly name = "NotPristine";
  constructor() {
    super("this node has a history already; only a pristine one can start a cluster");
  }
}

/** No new generation was begun; `reason` says why. */
export class NotContinued extends Error {
  override readonly name = "NotContinued";
  constructor(readonly reason: Refusal) {
    super(
      reason === "leaderHeard"
        ? "a majority answers: there is no need to continue without it"
        : "there is no document here yet that could be continued",
    );
  }
}

const changeRefusals: { readonly [refusal in Refusal]?: string } = {
  notReady: "the leader has not committed an entry of its term yet",
  changeOpen: "another change is open",
  configurationMoved: "the configuration is no longer the one that the change was made for",
  noVoters: "no voter would be left",
  noChange: "it is the configuration in force already",
  transferring: "leadership is being transferred",
};

/** Nothing was changed; `reason` says why. */
export class ConfigChangeRefused extends Error {
  override readonly name = "ConfigChangeRefused";
  constructor(readonly reason: Refusal) {
    super(`the configuration was not changed: ${changeRefusals[reason] ?? reason}`);
  }
}

/** The office stays where it was; `reason` says why. */
export class TransferFailed extends Error {
  override readonly name = "TransferFailed";
  constructor(readonly reason: Refusal) {
    super(reason === "noTarget" ? "no other voter can take over now" : `leadership was not transferred: ${reason}`);
  }
}

/** The node has ended, by `shutdown()` or by `cause`. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  constructor(
    readonly mayHaveApplied: boolean,
    cause: Error | null,
  ) {
    super(cause ? `the node has stopped: ${cause.message}` : "the node was shut down");
    if (cause) this.cause = cause;
  }
}
