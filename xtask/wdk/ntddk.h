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

/* Inline in mingw-w64, functions of ntoskrnl.exe in the WDK: set the inline ones aside. */
#define KeGetCurrentIrql carillon_inline_KeGetCurrentIrql
#define KfRaiseIrql carillon_inline_KfRaiseIrql
#define KeLowerIrql carillon_inline_KeLowerIrql
#define KeInitializeSpinLock carillon_inline_KeInitializeSpinLock
#include_next <ntddk.h>
#undef KeGetCurrentIrql
#undef KfRaiseIrql
#undef KeLowerIrql
#undef KeInitializeSpinLock

NTKERNELAPI KIRQL NTAPI KeGetCurrentIrql(void);
NTKERNELAPI KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql);
NTKERNELAPI void NTAPI KeLowerIrql(KIRQL NewIrql);
NTKERNELAPI void NTAPI KeInitializeSpinLock(PKSPIN_LOCK SpinLock);

/* Pool: exallocatepool2. */

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

/* Reader-writer spin locks: ex_spin_lock is one LONG, zero when free. */
typedef LONG EX_SPIN_LOCK, *PEX_SPIN_LOCK;
NTKERNELAPI KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock);
NTKERNELAPI void NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql);
NTKERNELAPI void NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql);

/* Time. */
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
NTKERNELAPI ULONG64 NTAPI KeQueryUnbiasedInterruptTimePrecise(PULONG64 QpcTimeStamp);
NTKERNELAPI void NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);

/* Memory. */
NTKERNELAPI PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                                       ULONG Protect);
NTKERNELAPI PVOID NTAPI MmAllocateContiguousNodeMemory(SIZE_T NumberOfBytes,
                                                       PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                       PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                       PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                       ULONG Protect,
                                                       NODE_REQUIREMENT PreferredNode);

#include "layouts.h"
