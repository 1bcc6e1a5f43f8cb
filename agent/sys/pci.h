/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI bus. Used by the agent. */
#pragma once

/* Asks the kernel to look for devices that were plugged in unnoticed; without such a bus, nothing.
 */
void pci_rescan(void);
