"""Half a sentence in a thread: it is read from the question above it, or asked back."""

import pytest

from handlers.catalogue import understand
from handlers.commands.command import AskBackError, NotUnderstoodError

WHY = "why shop/loadgen shop/cart 8080"

FOLLOWED = {
    "another port": (WHY, "and on 9090?", "why shop/loadgen shop/cart 9090"),
    "another port and protocol": (WHY, "and on 53/udp", "why shop/loadgen shop/cart 53/UDP"),
    "another source": (WHY, "and from shop/frontend?", "why shop/frontend shop/cart 8080"),
    "another destination": (WHY, "and to shop/redis:6379?", "why shop/loadgen shop/redis 6379"),
    "a bare source": (WHY, "what about from frontend", "why frontend shop/cart 8080"),
    "a port of its own says destination": (WHY, "what about shop/redis:6379?", "why shop/loadgen shop/redis 6379"),
    "further back": (WHY, "and since 1h?", "why shop/loadgen shop/cart 8080 since 1h"),
    "the other way": (WHY, "and the other way round?", "why shop/cart shop/loadgen"),
    "in German": (WHY, "und von shop/frontend?", "why shop/frontend shop/cart 8080"),
    "a whole question is its own": (WHY, "can shop/a reach shop/b?", "why shop/a shop/b"),
    "a subcommand is its own": (WHY, "drops shop", "drops shop"),
    "drops elsewhere": ("drops shop", "and in payments?", "drops payments"),
    "drops further back": ("drops shop", "and since 1h?", "drops shop since 1h"),
    "policies of another": ("policies shop/cart", "and shop/redis?", "policies shop/redis"),
    "another source, in other words": (WHY, "and for shop/frontend?", "why shop/frontend shop/cart 8080"),
    "a protocol alone keeps the port": (WHY, "and UDP?", "why shop/loadgen shop/cart 8080/UDP"),
    "a number alone is a port": (WHY, "9090?", "why shop/loadgen shop/cart 9090"),
    "a request": (WHY, "and for POST /pay?", "why shop/loadgen shop/cart 8080 http POST /pay"),
    "a ping has no port": (WHY, "and icmp?", "why shop/loadgen shop/cart icmp"),
    "the same for": ("policies shop/cart", "same question for api/admin", "policies api/admin"),
    "it is the only end": ("policies shop/cart", "what does it drop?", "drops shop/cart"),
    "the client is the source": (WHY, "what does the client drop?", "drops shop/loadgen"),
    "another identity": ("identity 12345", "and 54321?", "identity 54321"),
}


@pytest.mark.parametrize(("earlier", "says", "question"), FOLLOWED.values(), ids=FOLLOWED.keys())
def test_a_fragment_changes_the_question_above(earlier: str, says: str, question: str) -> None:
    assert str(understand(says, (), earlier)) == question


def test_an_end_that_could_be_either_is_asked_back() -> None:
    with pytest.raises(AskBackError) as caught:
        understand("what about shop/catalog?", (), WHY)
    assert caught.value.suggestions == ("why shop/loadgen shop/catalog 8080", "why shop/catalog shop/cart 8080")


ABOUT_IT = {
    "dropped": ("was it dropped?", ("drops shop/loadgen", "drops shop/cart")),
    "policies": ("what policies select it?", ("policies shop/loadgen", "policies shop/cart")),
    "reached": ("who else can reach it?", ("reach shop/loadgen from", "reach shop/cart from")),
}


@pytest.mark.parametrize(("says", "questions"), ABOUT_IT.values(), ids=ABOUT_IT.keys())
def test_it_can_be_either_end_of_the_question_above(says: str, questions: tuple[str, ...]) -> None:
    with pytest.raises(AskBackError) as caught:
        understand(says, (), WHY)
    assert caught.value.suggestions == questions


@pytest.mark.parametrize("says", ["thanks, that fixed it", "and now?", "and on 808O?"])
def test_chat_below_a_question_asks_nothing(says: str) -> None:
    with pytest.raises(NotUnderstoodError):
        understand(says, (), WHY)


def test_thanks_are_no_namespace() -> None:
    with pytest.raises(NotUnderstoodError):
        understand("ok thanks", (), "drops shop")


def test_without_a_question_above_a_fragment_asks_nothing() -> None:
    with pytest.raises(NotUnderstoodError):
        understand("and on 9090?")
