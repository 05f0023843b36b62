"""The page about the model, opened with answers of the service or with made ones."""

from typing import Any

from playwright.sync_api import Page, expect

LEVEL = {
    "target": "Set by hand.",
    "threshold": 0.5,
    "sensitivity": {"value": 0.5, "low": 0.4, "high": 0.6},
    "specificity": {"value": 0.75, "low": 0.7, "high": 0.8},
    "cases": 20,
    "with_cancer": 10,
    "by_views": {},
}
ROC = {
    "roc": {
        "false_positive_rate": [0, 0.25, 1],
        "sensitivity": [0, 0.5, 1],
        "low": [0, 0.4, 1],
        "high": [0, 0.6, 1],
    },
    "auc": {"value": 0.625, "low": 0.5, "high": 0.75},
    "cases": 20,
    "with_cancer": 10,
}
BIN = {"probability": 0.1, "observed": 0.3, "low": 0.2, "high": 0.4, "count": 40}
CURVES = {
    "levels": {"image": ROC, "breast": ROC, "exam": ROC},
    "calibration": {"error": 0.02, "bins": [BIN]},
}


def answer_with(page: Page, url: str, answer: dict[str, Any]) -> None:
    """Let the page get another answer at the address than the service's."""
    page.route(url, lambda route: route.fulfill(json=answer))


def answer_with_model(page: Page, address: str, **facts: Any) -> None:
    """Let the page get the service's facts about the model with some of them changed."""
    url = f"{address}/model"
    answer_with(page, url, page.request.get(url).json() | facts)


def open_page(page: Page, address: str) -> None:
    """Open the page and wait until its facts are there."""
    page.goto(f"{address}/viewer/model")
    expect(page.locator('[data-part="calibration"] > *').first).to_be_attached()


def show_pictures(page: Page) -> None:
    """Scroll to the parts with pictures and wait for them."""
    for name, pictures in (("layers", 21), ("heat", 16)):
        page.locator(f'[data-part="{name}"]').scroll_into_view_if_needed()
        expect(page.locator(f'[data-part="{name}"] canvas')).to_have_count(pictures)
