/*
 * Two macros that clang refuses in the form that mingw-w64 gives them: an offset that is no
 * constant expression, and an assertion whose declaration clashes with itself.
 */
#pragma once
#include_next <ntdef.h>

#undef FIELD_OFFSET
#define FIELD_OFFSET(type, field) ((LONG)__builtin_offsetof(type, field))

#undef C_ASSERT
#define C_ASSERT(expression) _Static_assert(expression, #expression)
