import { el } from "./dom.js";

/**
 * Ask for an API key. Return it, or null if the reader cancels. The key stays in memory: it is
 * gone with the page.
 */
export function askKey(problem) {
  const input = el("input", { type: "password", id: "key", required: true, autocomplete: "off" });
  const cancel = el("button", { type: "button", text: "Cancel" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { text: "This service asks for a key" }),
    el("p", { class: "caution", text: problem.detail ?? "" }),
    el("label", { htmlFor: "key", text: "API key or access token" }),
    input,
    el("p", {
      class: "quiet",
      text:
        "The viewer needs a key with the scope explain. Facts about the model need no scope. " +
        "The key is kept in the memory of this page alone and is gone when the page is closed.",
    }),
    el("p", { class: "actions" }, el("button", { class: "main", text: "Use the key" }), cancel),
  );
  const dialog = el("dialog", { "aria-label": "API key" }, form);
  return new Promise((resolve) => {
    cancel.onclick = () => dialog.close();
    form.onsubmit = (event) => {
      event.preventDefault();
      dialog.close("given");
    };
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue ? input.value.trim() : null);
    };
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
