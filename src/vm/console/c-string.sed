# SPDX-License-Identifier: LGPL-2.1-or-later
# A text file as a C string, one literal a line.
s/[\\"]/\\&/g
s/^/"/
s/$/\\n"/
