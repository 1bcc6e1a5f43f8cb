/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that no file of this project may use, refused by the compiler. The Makefile includes this
 * header before every source file. What to use instead: base/buf.h for text, base/text.h for
 * numbers, sys/process.h for children.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen
