"""What a service does with a request, from its form to the answer."""

import asyncio
import io
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pandas as pd
from PIL import Image
from starlette.requests import ClientDisconnect, Request

from skinlesion.errors import InputError
from skinlesion.serving import admission, answers, form, lesions, logs, refusal
from skinlesion.serving.counters import Counters
from skinlesion.serving.lesions import Lesions
from skinlesion.serving.scorer import Batch, Bundle, Scorer
from skinlesion.serving.settings import Settings
from skinlesion.serving.values import Column

__all__ = ["Service"]

N_LESIONS = 64  # of a batch: two of the engine's
N_OTHER_PARTS = 8  # of a form, beside tiles

Take = Callable[[list[form.Part], Sequence[Column], Settings], Lesions]


class Service:
    """A bundle at work.

    Args:
        bundle: What scores.
        settings: With the token and the limits.
    """

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        self.bundle, self.settings, self.is_ready = bundle, settings, False
        self.columns = [Column(c["name"], c["kind"] == "number") for c in bundle.columns]
        self.admission = admission.Admission(settings)
        self.counters = Counters(lambda: self.admission.n_requests, lambda: self.scorer.n_waiting)
        self.scorer = Scorer(bundle, Batch(N_LESIONS, settings.explained), self.counters.batch)

    def start(self) -> None:
        """Begin to score. It is ready once a first lesion, a grey one, is scored."""
        self.scorer.start()
        self.scorer.score(self._grey()).add_done_callback(self._warm)

    async def stop(self) -> None:
        """End, once what is in work is done."""
        self.is_ready = False
        await asyncio.to_thread(self.scorer.stop)

    def model(self, request: Request) -> bytes:
        """Answer what the bundle is, as `answers.model`.

        Raises:
            RefusalError: 401, the token is not that of the service.
        """
        admission.require_token(request, self.settings)
        return answers.model(self.bundle, self.settings)

    async def lesion(self, request: Request) -> bytes:
        """Score one lesion; raises as `patient`."""
        return await self._scored(request, lesions.one)

    async def patient(self, request: Request) -> bytes:
        """Score the lesions of a patient.

        Args:
            request: Its body is a form, not yet read.

        Returns:
            The answer as JSON.

        Raises:
            RefusalError: 401, 413, 422, 429 or 503: see `refusing.STATUSES`.
            ClientDisconnect: Who asked has gone.
        """
        return await self._scored(request, lesions.of_patient)

    async def occlusion(self, request: Request) -> bytes:
        """Measure where on the tile of a lesion the network looks; raises as `patient`."""

        def write(given: Lesions, drop: Any) -> bytes:
            return answers.occlusion(drop)

        return await self._answer(request, lesions.one, (self.scorer.occlusion, write))

    async def _scored(self, request: Request, take: Take) -> bytes:
        def write(given: Lesions, scored: Any) -> bytes:
            return answers.scores(given, scored, self.bundle)

        return await self._answer(request, take, (self.scorer.score, write))

    async def _answer(
        self,
        request: Request,
        take: Take,
        run: tuple[Callable[[Lesions], "Future[Any]"], Callable[[Lesions, Any], bytes]],
    ) -> bytes:
        admission.require_token(request, self.settings)
        submit, write = run
        with self.admission.admit() as admitted:
            try:
                async with asyncio.timeout(self.settings.seconds):
                    body = await admitted.body(request)
                    given = await asyncio.to_thread(self._taken, request, body, take)
                    request.state.counts = {"bytes": len(body), "lesions": len(given.table)}
                    del body
                    result = await _unless_gone(request, submit(given))
                    return await asyncio.to_thread(write, given, result)
            except TimeoutError:
                expected = f"an answer within {self.settings.seconds:g} s"
                raise refusal.one(503, "request", expected, "none yet", retry_after=1) from None
            except InputError as error:  # of the bundle
                raise refusal.of_input(error, "lesions") from None

    def _taken(self, request: Request, body: bytearray, take: Take) -> Lesions:
        content_type = request.headers.get("content-type", "")
        parts = form.parts(body, content_type, n_max=self.settings.tiles + N_OTHER_PARTS)
        return take(parts, self.columns, self.settings)

    def _grey(self) -> Lesions:
        tile = io.BytesIO()
        Image.new("RGB", (64, 64), "grey").save(tile, "png")
        row = {c.name: [float("nan")] if c.is_number else [None] for c in self.columns}
        ids = {"isic_id": ["grey"], "patient_id": ["grey"]}
        return Lesions(pd.DataFrame(ids | row), {"grey": tile.getvalue()})

    def _warm(self, done: "Future[Any]") -> None:
        error = done.exception()
        self.is_ready = error is None
        logs.event("ready" if self.is_ready else "not ready", error=error)


async def _unless_gone(request: Request, future: "Future[Any]") -> Any:
    """Wait for a result as long as its client does; one that has gone gives its turn away."""
    result, gone = asyncio.wrap_future(future), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({result, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            raise ClientDisconnect
        return result.result()
    finally:
        gone.cancel()
        result.cancel()
