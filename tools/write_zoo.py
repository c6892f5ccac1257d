"""Copy finished trainings into the zoo: weights, card, learning curve and page.

Run from the root of a checkout: python tools/write_zoo.py [FOLDER OF TRAININGS]
"""

import shutil
import sys
from pathlib import Path

from fecnn._files.atomic import write
from fecnn.nets.card import CARD, CONFIG, WEIGHTS, ZOO, read_card
from fecnn.plots.figure import save
from fecnn.plots.learning import plot_learning
from fecnn.training.page import page
from fecnn.training.recipe import load_training, training_of


def main(trainings: Path) -> None:
    for folder in sorted(path.parent for path in trainings.glob(f"*/{CARD}")):
        card, home = read_card(folder), ZOO / folder.name
        if not card.finished or not (home / CONFIG).is_file():
            print(f"left alone: {card.name} ({'no config in the zoo' if card.finished else 'not finished'})")
            continue
        if load_training(card.name) != training_of(card.config, "card"):
            print(f"left alone: {card.name} was trained by another configuration than {home / CONFIG}")
            continue
        for name in (WEIGHTS, CARD):
            shutil.copyfile(folder / name, home / name)
        save(plot_learning(card), home / "curve.svg")
        write(home / "README.md", page(card))
        print(f"taken: {card.name}, {(home / WEIGHTS).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("fecnn-training"))
