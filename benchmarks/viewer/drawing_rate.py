"""Frames a second of the views, while their window, heat or zoom changes in each frame."""

from playwright.sync_api import Page

# Each way changes the state of the page for frame number n.
_WINDOWS = """windows: state.images.map((image) => {
  const { lowest, highest } = image.pixels;
  const width = (highest - lowest) * (0.5 + (n %% 50) / 100);
  return { preset: null, function: "%s", center: (lowest + highest) / 2, width };
})"""
_VIEWPORTS = """viewports: state.images.map(({ answered: { image } }) => (
  { scale: %s, x: image.columns / 2 + n %% 300, y: image.rows / 2 + n %% 200 }))"""

WAYS = {
    "window, LINEAR": _WINDOWS % "LINEAR",
    "window, SIGMOID": _WINDOWS % "SIGMOID",
    "opacity of the heat": "heat: { ...state.heat, opacity: 0.2 + (n % 60) / 100 }",
    "pan at half size": _VIEWPORTS % "0.5",
    "pan at 1:1": _VIEWPORTS % "1",
    "pan at 8:1": _VIEWPORTS % "8",
    "window at 1:1": f"{_VIEWPORTS % '1'}, {_WINDOWS % 'LINEAR'}",
}

_SCRIPT = """async (seconds) => {
  const entry = document.querySelector("script[type=module]").src;
  const { store } = await import(new URL("store.js", entry).href);
  const change = (state, n) => ({ %s });
  const start = performance.now();
  let longest = 0;
  let last = start;
  let n = 0;
  while (last < start + 1000 * seconds) {
    if (n < %d) store.change(change(store.state, n));
    n += 1;
    await new Promise((done) => requestAnimationFrame(done));
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return [n / ((last - start) / 1000), longest];
}"""
_FIT = "viewports: [], windows: []"


def frames_per_second(page: Page, way: str, seconds: float) -> float:
    """Return the frames a second while the views change in each of them."""
    rate, _ = page.evaluate(_SCRIPT % (WAYS[way], 1_000_000), seconds)
    page.evaluate(_SCRIPT % (_FIT, 1), 1)
    return float(rate)


def full_milliseconds(page: Page) -> float:
    """Return the longest time without a frame after one change of all windows."""
    _, longest = page.evaluate(_SCRIPT % (WAYS["window, LINEAR"], 1), 2)
    return float(longest)
