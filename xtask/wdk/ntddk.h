/*
 * The kernel interface that the driver uses and that mingw-w64's ntddk.h is too old for. Signatures
 * follow the public documentation of each function.
 */
#pragma once

#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A00000B
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif

#include_next <ntddk.h>

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_REQUIRED_START        0x0000000000000001UI64
#define POOL_FLAG_USE_QUOTA             0x0000000000000001UI64
#define POOL_FLAG_UNINITIALIZED         0x0000000000000002UI64
#define POOL_FLAG_SESSION               0x0000000000000004UI64
#define POOL_FLAG_CACHE_ALIGNED         0x0000000000000008UI64
#define POOL_FLAG_RAISE_ON_FAILURE      0x0000000000000020UI64
#define POOL_FLAG_NON_PAGED             0x0000000000000040UI64
#define POOL_FLAG_NON_PAGED_EXECUTE     0x0000000000000080UI64
#define POOL_FLAG_PAGED                 0x0000000000000100UI64

NTKERNELAPI PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
