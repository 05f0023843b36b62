"""The JSON of an inference request."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.api.inference.tensor_names import HEAT_OUTPUTS, INPUT_TYPES, InputName, OutputName
from service.api.options import Effort, ImageOptions, NoOptions
from service.pipeline import Question
from service.records import Method

_OF_EXPLANATION = {"layer", "class", "diagnostics"}


class InferenceParameters(ImageOptions):
    """Parameters of a request. An unknown one is refused."""

    model_config = ConfigDict(extra="forbid")

    explain: Method | None = None
    layer: str | None = None
    class_name: str | None = Field(default=None, alias="class")
    diagnostics: Effort = Effort.QUICK
    binary_data_output: bool = False

    @model_validator(mode="after")
    def _check_explained(self) -> Self:
        """Refuse parameters of an explanation without one."""
        given = {"class" if name == "class_name" else name for name in self.model_fields_set}
        if self.explain is None and given & _OF_EXPLANATION:
            raise ValueError("layer, class and diagnostics need the parameter 'explain'")
        return self

    def question(self) -> Question | None:
        """Return the question to each image, None if only a prediction is wanted."""
        if self.explain is None:
            return None
        full = self.diagnostics is Effort.FULL
        return Question(self.explain, self.layer, self.class_name, full=full)


class InputParameters(NoOptions):
    """Parameters of an input. `content_type`: that of strings in JSON, always base64."""

    binary_data_size: int | None = Field(default=None, ge=0)
    content_type: Annotated[str, Field(pattern="^base64$")] | None = None


class InputTensor(BaseModel):
    """An input, without its bytes if they follow as a binary tensor."""

    name: InputName
    shape: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=4)
    datatype: str
    parameters: InputParameters = InputParameters()
    data: list[Any] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Check the type, and that there is one source of data."""
        expected = INPUT_TYPES[self.name]
        if self.datatype != expected:
            raise ValueError(f"the datatype of '{self.name}' is {expected}")
        if (self.data is None) == (self.parameters.binary_data_size is None):
            raise ValueError("an input has either data or the parameter binary_data_size")
        return self


class OutputParameters(NoOptions):
    """Parameters of an output. `binary_data`: None for what the request says."""

    binary_data: bool | None = None


class WantedOutput(BaseModel):
    """An output that is wanted."""

    name: OutputName
    parameters: OutputParameters = OutputParameters()


class InferenceRequest(BaseModel):
    """The JSON of a request. Members that the protocol may add later are ignored."""

    id: str | None = Field(default=None, max_length=256)
    parameters: InferenceParameters = InferenceParameters()
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[WantedOutput] = Field(default=[], max_length=len(OutputName))

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        """Refuse outputs of an explanation without one, and those that are named twice."""
        names = [output.name for output in self.outputs]
        if len(set(names)) < len(names):
            raise ValueError("an output is named twice")
        if self.parameters.explain is None and HEAT_OUTPUTS.intersection(names):
            needing = ", ".join(sorted(HEAT_OUTPUTS))
            raise ValueError(f"the outputs {needing} need the parameter 'explain'")
        return self

    def wanted(self) -> dict[OutputName, bool]:
        """Return the outputs to answer with, in their order, and whether each is binary."""
        usual = self.parameters.binary_data_output
        if self.outputs:
            given = {output.name: output.parameters.binary_data for output in self.outputs}
            return {name: usual if binary is None else binary for name, binary in given.items()}

        explained = self.parameters.explain is not None
        names = [name for name in OutputName if explained or name not in HEAT_OUTPUTS]
        return dict.fromkeys(names, usual)
