"""Pictures as tables, for figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor


def pixel_table(picture: Tensor, **columns: Any) -> pd.DataFrame:
    """A row a pixel of a picture (rows, columns): row, column, value, and these columns."""
    values = picture.double().numpy()
    row, column = np.indices(values.shape)
    table = pd.DataFrame({"row": row.ravel(), "column": column.ravel(), "value": values.ravel()})
    return table.assign(**columns)
