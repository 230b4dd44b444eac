"""Numbers of each lesion: of its row, of its tile, and relative to its patient's other lesions.

Apart from the room `features`, on which training depends: a change here trains no network again.

May import dataset and the ground.
"""
