"""One process's shard of a training that several devices, or hosts, do together."""

from dataclasses import dataclass

import numpy as np

from skinlesion.errors import InputError

__all__ = ["WHOLE", "Shard"]


@dataclass(frozen=True)
class Shard:
    """The devices that take each step together, and the index of this process among theirs."""

    n_devices: int = 1  # of all processes; each has as many
    n_processes: int = 1
    process_index: int = 0  # from 0

    @property
    def writes(self) -> bool:
        """Whether this is the process that writes and prints for all."""
        return self.process_index == 0

    @property
    def devices(self) -> str:
        """Describe the devices: the random numbers of augmentation depend on their count."""
        return f"{self.n_devices}, of {self.n_processes} processes"

    def n_batches(self, n_drawn: int, batch_size: int) -> int:
        """Count the batches of an epoch.

        Args:
            n_drawn: Draws of the epoch.
            batch_size: Largest number of draws per batch, of all devices together.

        Raises:
            InputError: There are more devices than draws in a batch.
        """
        return -(-n_drawn // self._whole(batch_size))

    def batches(
        self, order: np.ndarray, weight: np.ndarray, *, batch_size: int
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Split an epoch into batches of one size, and take this process's part of each.

        The size is the largest multiple of n_devices within batch_size: a network of which it is
        known trains a fifth faster than one that takes any. The draws are spread evenly, and each
        batch is filled up with its own first draws at weight 0. Keras divides a batch's loss by
        its size, not by its weights, so its other draws weigh more by as much as that costs.

        Args:
            order: Shape (n_drawn,), the draws' indices, shuffled.
            weight: Shape (n_drawn,), by index.
            batch_size: Largest number of draws per batch, of all devices together.

        Returns:
            Per batch, the indices of the part and their weights. The parts of the processes,
            one after the other, are the batch.

        Raises:
            InputError: As for `n_batches`.
        """
        found, size, mine = [], self._whole(batch_size), self.per_process(batch_size)
        for drawn in np.array_split(order, self.n_batches(len(order), batch_size)):
            filled = np.resize(drawn, size)
            weights = weight[filled] * np.float32(size / len(drawn))
            weights[len(drawn) :] = 0
            part = slice(self.process_index * mine, (self.process_index + 1) * mine)
            found.append((filled[part], weights[part]))
        return found

    def per_process(self, batch_size: int) -> int:
        """Count the lesions of a batch that this process holds.

        Args:
            batch_size: Of all devices together.

        Raises:
            InputError: As for `n_batches`.
        """
        return self._whole(batch_size) // self.n_processes

    def _whole(self, batch_size: int) -> int:
        """The largest number of draws within batch_size of which each device has as many."""
        if batch_size < self.n_devices:
            raise InputError(
                f"params.yaml: train.batch_size must give each of the {self.n_devices} devices "
                f"a lesion. Got {batch_size} instead."
            )
        return batch_size // self.n_devices * self.n_devices

    def rows(self, n_lesions: int) -> np.ndarray:
        """Take this process's block of lesions that are scored once, of nearly equal size.

        Args:
            n_lesions: Of all processes together.
        """
        n_rows = -(-n_lesions // self.n_processes)
        return np.arange(n_lesions)[self.process_index * n_rows :][:n_rows]


WHOLE = Shard()
