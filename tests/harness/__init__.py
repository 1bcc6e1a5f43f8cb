# SPDX-License-Identifier: Apache-2.0
"""What the whole-program and interop tests stand on: a throw-away amphora and the world round it."""
