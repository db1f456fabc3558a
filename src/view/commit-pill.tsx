/** Whether what is on the screen is safe. Good news shows at once; a passing wait or election does not flicker. */
import { unconfirmedOf } from "../page/session-store.ts";
import { useSessionState } from "./context.ts";
import { useSettled } from "./hooks.ts";
import { AlarmIcon, CheckIcon, WaitIcon } from "./icons.tsx";
import { commitPill, type Tone } from "./words.ts";

const SETTLE_MS: { readonly [tone in Tone]: number } = { good: 0, waiting: 350, bad: 1_200 };
const ICONS = { good: CheckIcon, waiting: WaitIcon, bad: AlarmIcon } as const;

export function CommitPill() {
  const status = useSessionState((state) => state.status);
  const unconfirmed = useSessionState(unconfirmedOf);
  const now = commitPill(status, unconfirmed);
  const shown = useSettled(now, now.tone, SETTLE_MS[now.tone]);
  // Within one tone the words follow at once: a count, an entry number.
  const pill = shown.tone === now.tone ? now : shown;
  const Icon = ICONS[pill.tone];
  return (
    <p className={`pill pill-${pill.tone}`} data-testid="commit-pill">
      <Icon />
      <span>{pill.text}</span>
    </p>
  );
}
