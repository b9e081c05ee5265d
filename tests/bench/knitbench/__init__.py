# SPDX-License-Identifier: BSD-3-Clause
"""knit and its peers, measured side by side. Entry point: ../run."""
