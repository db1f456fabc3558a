/** Offers a newer build of the page. Stays until it is answered, and takes no focus. */
import { usePageUpdate, usePageUpdateState } from "./context.ts";

export function UpdateOffer() {
  const update = usePageUpdate();
  const ready = usePageUpdateState((state) => state.ready);
  return (
    <div className="update-offer" role="status">
      {ready && (
        <p>
          A newer version of this page is here. Reload when it suits you: the document stays.
          <span className="update-offer-buttons">
            <button type="button" className="button button-small button-primary" onClick={() => update.accept()}>
              Reload now
            </button>
            <button type="button" className="button button-small" onClick={() => update.dismiss()}>
              Later
            </button>
          </span>
        </p>
      )}
    </div>
  );
}
