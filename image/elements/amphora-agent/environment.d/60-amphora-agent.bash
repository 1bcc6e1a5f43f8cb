# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
export DIB_AMPHORA_CLOUD_INIT=${DIB_AMPHORA_CLOUD_INIT:-True}
# diskimage-create.sh sets it from Octavia 17 on.
export DIB_OCTAVIA_AMP_USE_SSH=${DIB_OCTAVIA_AMP_USE_SSH:-True}

# There is no Python environment to install Octavia's library into, so its element does nothing, and fetches nothing.
export DIB_INSTALLTYPE_amphora_agent=package
export DIB_INSTALLTYPE_octavia_lib=package
