"""One process's share of a training that several devices, or hosts, do together."""

from dataclasses import dataclass

import numpy as np

from skinlesion.errors import InputError

__all__ = ["WHOLE", "Share"]


@dataclass(frozen=True)
class Share:
    """The devices that take each step together, and the place of this process among theirs."""

    n_devices: int = 1  # of all processes; each has as many
    n_processes: int = 1
    process: int = 0  # from 0

    @property
    def writes(self) -> bool:
        """Whether this is the process that writes and speaks for all."""
        return self.process == 0

    @property
    def devices(self) -> str:
        """Say what trains: the draws of augmentation depend on how many share a batch."""
        return f"{self.n_devices}, of {self.n_processes} processes"

    def n_batches(self, n_drawn: int, batch_size: int) -> int:
        """Count the batches of an epoch.

        Args:
            n_drawn: Draws of the epoch.
            batch_size: Largest number of draws per batch, of all devices together.

        Raises:
            InputError: There are more devices than draws in a batch.
        """
        if batch_size < self.n_devices:
            raise InputError(
                f"params.yaml: train.batch_size must give each of the {self.n_devices} devices "
                f"a lesion. Got {batch_size} instead."
            )
        n_groups = -(-n_drawn // self.n_devices)
        return -(-n_groups // (batch_size // self.n_devices))

    def batches(
        self, order: np.ndarray, weight: np.ndarray, *, batch_size: int
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Split an epoch into batches of nearly equal size, and take this process's part of each.

        Every size is a multiple of n_devices. Where the number of draws is not, the last batch
        is filled up with draws of the epoch at weight 0. Keras divides a batch's loss by its
        size, not by its weights, so its other draws weigh more by as much as that costs.

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
        n_batches = self.n_batches(len(order), batch_size)
        n_filled = -len(order) % self.n_devices
        filled = np.resize(order, len(order) + n_filled)
        groups = np.arange(len(filled)).reshape(-1, self.n_devices)
        batches = [part.ravel() for part in np.array_split(groups, n_batches)]
        weights, n_last = weight[filled], len(batches[-1])
        weights[batches[-1]] *= n_last / (n_last - n_filled)
        weights[len(order) :] = 0
        mine = [np.split(batch, self.n_processes)[self.process] for batch in batches]
        return [(filled[part], weights[part]) for part in mine]

    def per_process(self, batch_size: int) -> int:
        """Tell how many lesions of a batch this process holds at once.

        Args:
            batch_size: Of all devices together.
        """
        return batch_size // self.n_devices * (self.n_devices // self.n_processes)

    def rows(self, n_lesions: int) -> np.ndarray:
        """Take this process's block of lesions that are scored once, of nearly equal size.

        Args:
            n_lesions: Of all processes together.
        """
        n_rows = -(-n_lesions // self.n_processes)
        return np.arange(n_lesions)[self.process * n_rows :][:n_rows]


WHOLE = Share()
