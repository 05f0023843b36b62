import { failureWords } from "./api.js";
import { el } from "./dom.js";

/**
 * Fill a part of the page when it comes near the window, or when its button is used. `make` gets
 * a function for words of progress, and returns the elements. After a failure the button asks
 * again.
 */
export function whenSeen(part, name, make) {
  const button = el("button", { type: "button", text: name });
  const state = el("p", { class: "quiet", role: "status" });
  const tell = (words) => {
    state.textContent = words;
  };
  part.replaceChildren(el("p", { class: "ask" }, button), state);

  const fill = async () => {
    seen.disconnect();
    button.disabled = true;
    try {
      const elements = await make(tell);
      part.replaceChildren(...elements, state);
      tell("");
    } catch (error) {
      tell(failureWords(error));
      button.disabled = false;
    }
  };
  const seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) fill();
  });
  seen.observe(part);
  button.onclick = fill;
}
