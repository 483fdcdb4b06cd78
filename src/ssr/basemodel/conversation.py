"""A drill as a model reads it: the first prompt, then turns and their answers, some of which are not to be learned."""

from dataclasses import dataclass, field

from ssr.basemodel.mistakes import Mistake
from ssr.contracts import Message


@dataclass
class Conversation:
    """Messages of one conversation: the first prompt, then turns and what was answered, in order."""

    prompt: list[Message]
    turns: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """One fewer than turns: the last turn is not answered."""
    mistakes: set[int] = field(default_factory=set)
    """Places of turns that are not to be learned."""

    def say(self, turn: str, answer: str | None = None) -> None:
        self.turns.append(turn)
        if answer is not None:
            self.answers.append(answer)

    def mistake(self, made: Mistake | None, times: int = 1) -> None:
        """A turn that goes wrong and its answer, if there is one, so many times in a row."""
        for turn, answer in [made] * times if made else []:
            self.mistakes.add(len(self.turns))
            self.say(turn, answer)

    def first(self) -> "Conversation":
        """The conversation up to the first turn that is to be learned."""
        last = next(place for place in range(len(self.turns)) if place not in self.mistakes)
        return Conversation(self.prompt, self.turns[: last + 1], self.answers[:last], self.mistakes)
