/**
 * Pointer tools of a view, beside the keys of view_keys.js that do the same.
 *
 *     pointer                       keys
 *     wheel, pinch                  + -               zoom, about the pointer or the cross-hair
 *     double click                  Z                 fit, 1:1, 8:1 in turn
 *     M, drag                       M, arrows         move an enlarged image
 *     M, click                      C, Shift+arrows   cross-hair, whose values are read out
 *     W, drag across, up and down   W, arrows         width of the window, brighter and darker
 *     R, drag                       R, arrows         length
 */

const PER_PIXEL = 1 / 200; // share of the window's width
const CLICK = 4; // CSS pixels that a click may move
const WHEEL = 1 / 400; // of zoom, in powers of e, per pixel that the wheel turns
const MAX_TURN = 100;

const DRAGS = {
  pan(view, drag, { clientX, clientY }) {
    const dot = devicePixelRatio;
    view.pan((clientX - drag.last.clientX) * dot, (clientY - drag.last.clientY) * dot);
  },
  window(view, drag, event) {
    const [right, down] = way(drag.first, event);
    view.moveWindow(right * PER_PIXEL, down * PER_PIXEL, drag.window);
  },
  ruler(view, drag, { clientX, clientY }) {
    const to = view.sourceAt(clientX, clientY);
    if (!to || !drag.source) return;
    const ends = { from: [drag.source.x, drag.source.y], to: [to.x, to.y] };
    view.store.change({ ruler: { index: view.image.index, ...ends } });
  },
};

/** Let pointer and wheel work on a view. */
export function attachPointers(view) {
  const { canvas, store } = view;
  const pressed = new Map(); // events by pointer: where each is
  let drag = null; // {first, last, source, window}: first and last event, and the start

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, event);
    const source = view.sourceAt(event.clientX, event.clientY);
    drag = pressed.size > 1 ? null : { first: event, last: event, source, window: view.window };
  });

  on("pointermove", (event) => {
    view.tell(view.sourceAt(event.clientX, event.clientY));
    if (!pressed.has(event.pointerId)) return;

    if (pressed.size === 2) pinch(view, pressed, event);
    else if (drag && !isClick(event)) {
      DRAGS[store.state.tool](view, drag, event);
      drag.last = event;
    }
    pressed.set(event.pointerId, event);
  });

  on("pointerup", (event) => {
    if (drag?.source && isClick(event) && store.state.tool === "pan") {
      store.change({ crosshair: { index: view.image.index, ...drag.source } });
    }
    release(event);
  });
  on("pointercancel", release);
  on("pointerleave", () => view.tell(null));

  on("dblclick", ({ clientX, clientY }) => {
    store.change({ crosshair: null }); // that of the first click
    view.stepZoom(view.pixelAt(clientX, clientY));
  });
  on("wheel", (event) => {
    event.preventDefault();
    const turn = Math.min(Math.max(event.deltaY, -MAX_TURN), MAX_TURN);
    view.zoomBy(Math.exp(-turn * WHEEL), view.pixelAt(event.clientX, event.clientY));
  });

  function on(name, act) {
    canvas.addEventListener(name, (event) => view.image && act(event), { passive: false });
  }

  function release({ pointerId }) {
    pressed.delete(pointerId);
    drag = null;
  }

  /** Whether the pointer has hardly moved since it was pressed. */
  function isClick(event) {
    return drag.last === drag.first && Math.hypot(...way(drag.first, event)) < CLICK;
  }
}

const way = (from, to) => [to.clientX - from.clientX, to.clientY - from.clientY];

/** Zoom and move by two fingers. */
function pinch(view, pressed, event) {
  const other = [...pressed.values()].find(({ pointerId }) => pointerId !== event.pointerId);
  const before = pressed.get(event.pointerId);
  const apart = (one) => Math.max(Math.hypot(...way(one, other)), 1);
  const middle = [(before.clientX + other.clientX) / 2, (before.clientY + other.clientY) / 2];

  const [right, down] = way(before, event).map((pixels) => (pixels / 2) * devicePixelRatio);
  view.zoomBy(apart(event) / apart(before), view.pixelAt(...middle));
  view.pan(right, down);
}
