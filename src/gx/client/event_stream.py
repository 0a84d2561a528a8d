"""Server-sent events: the data of each event out of the lines of a stream."""

from collections.abc import AsyncIterator


async def parse_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield each event's data; comments, names and ids are skipped.

    An event that the stream's end cuts off is dropped, as the format demands
    (html.spec.whatwg.org, section 9.2.6).
    """
    data: list[str] = []
    async for line in lines:
        if not line:
            if data:
                yield "\n".join(data)
            data.clear()
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
