/** Whether the browser keeps what is stored here, how much there is, and the button that asks it to. */
import { usePersistence, useSession } from "./context.ts";
import { keptWords, roomWords } from "./words.ts";

export function KeptBy() {
  const session = useSession();
  const isPersistent = usePersistence((state) => state.isPersistent);
  const wasRefused = usePersistence((state) => state.wasRefused);
  const usedBytes = usePersistence((state) => state.usedBytes);
  const quotaBytes = usePersistence((state) => state.quotaBytes);
  return (
    <div className="kept-by">
      <p className="muted" role="status">
        {keptWords(isPersistent, wasRefused)} {roomWords(usedBytes, quotaBytes)}
      </p>
      {isPersistent === false && (
        <button type="button" className="button button-small" onClick={() => session.askPersistence()}>
          Ask the browser to keep them
        </button>
      )}
    </div>
  );
}
