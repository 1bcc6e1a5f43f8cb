# SPDX-License-Identifier: Apache-2.0
"""What the whole-program and interop tests stand on: an amphora to throw away, the world round it."""
