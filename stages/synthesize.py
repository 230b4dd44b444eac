"""Stage `synthesize`: draw the default challenge folder.

Writes train-metadata.csv, train-image.hdf5, test-metadata.csv and test-image.hdf5 in the layout
of SLICE-3D, so that the pipeline runs without any download. The lesions are invented: scores on
them say that the pipeline works, not how well it ranks real ones.
"""

from pathlib import Path

from tqdm import tqdm

from skinlesion import command, params
from skinlesion.synthetic import challenge_folder


def main(folder: Path) -> None:
    p = params.load("synthesize", challenge_folder.Params)
    with tqdm(total=p.n_lesions + p.n_test_lesions, unit=" tiles", mininterval=5) as bar:
        challenge_folder.draw(folder, p, progress=bar.update)
    print(
        f"drew {p.n_lesions} lesions ({p.n_malignant} malignant) of {p.n_patients} patients "
        f"and {p.n_test_lesions} test lesions"
    )


if __name__ == "__main__":
    command.run(main)
