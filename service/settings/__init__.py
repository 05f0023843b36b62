"""What an operator can set, from the environment, with safe defaults."""

from service.settings.setting_names import SettingsRefused, unknown_variables, variable_of
from service.settings.settings import FAKE, Settings

__all__ = ["FAKE", "Settings", "SettingsRefused", "unknown_variables", "variable_of"]
