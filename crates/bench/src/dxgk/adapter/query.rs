//! `DxgkDdiQueryAdapterInfo`, typed, and the multi-step queries.

use carillon_ddi::{
    DXGK_PAGE_TABLE_LEVEL_DESC, DXGK_QUERYADAPTERINFOTYPE, DXGK_QUERYPAGETABLELEVELDESCIN,
    DXGK_QUERYSEGMENTIN4, DXGK_QUERYSEGMENTOUT4, DXGK_SEGMENTDESCRIPTOR4,
    DXGKARG_HISTORYBUFFERPRECISION, DXGKARG_QUERYADAPTERINFO,
};

use super::Adapter;
use super::caps::{PagingBuffer, Segments};
use crate::dxgk::driver::{DdiError, DdiResult, Guarded};

/// What fills the room between two segment descriptors.
const GAP: u8 = 0xEE;

impl Adapter {
    /// Asks for `output`, whose bytes are zero except for what the type defines as input.
    ///
    /// # Errors
    /// The driver's refusal; it must not have written then.
    pub fn query<I: Copy, O: Copy>(
        &self,
        kind: DXGK_QUERYADAPTERINFOTYPE,
        input: I,
        output: O,
    ) -> DdiResult<O> {
        let lent = lend(&[output])?;
        self.query_lent(kind, input, &lent)?;
        Ok(lent.get())
    }

    fn query_lent<I: Copy, O: Copy>(
        &self,
        kind: DXGK_QUERYADAPTERINFOTYPE,
        input: I,
        output: &Guarded<O>,
    ) -> DdiResult {
        let input = lend(&[input])?;
        let before = (input.bytes(), output.bytes());
        let bytes = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let args = DXGKARG_QUERYADAPTERINFO {
            Type: kind,
            pInputData: input.as_mut_ptr().cast(),
            InputDataSize: bytes(before.0.len()),
            pOutputData: output.as_mut_ptr().cast(),
            OutputDataSize: bytes(before.1.len()),
            ..DXGKARG_QUERYADAPTERINFO::ZERO
        };
        let result = self.driver().query_adapter_info(self.context(), &args);
        if input.bytes() != before.0 {
            self.driver().breach(format!(
                "DxgkDdiQueryAdapterInfo({}) wrote to its input",
                kind.0
            ));
        }
        if result.is_err() && output.bytes() != before.1 {
            let kind = kind.0;
            self.driver()
                .breach(format!("DxgkDdiQueryAdapterInfo({kind}) failed and wrote"));
        }
        if output.is_underrun() {
            self.driver()
                .breach(format!("DxgkDdiQueryAdapterInfo({}) wrote before", kind.0));
        }
        result
    }

    /// Asks for segments as the OS does: the number first, then the descriptors with a stride that
    /// may be larger than a descriptor.
    pub(super) fn query_segments(&self, stride: usize) -> DdiResult<Segments> {
        const KIND: DXGK_QUERYADAPTERINFOTYPE =
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_QUERYSEGMENT4;
        let input = DXGK_QUERYSEGMENTIN4 {
            PhysicalAdapterIndex: 0,
        };
        let count = self
            .query(KIND, input, DXGK_QUERYSEGMENTOUT4::ZERO)?
            .NbSegment;
        // A number that no adapter can have would only exhaust the bench.
        let room = usize::try_from(count.min(64)).unwrap_or(0);
        let descriptors = lend(&vec![GAP; room * stride])?;
        for index in 0..room {
            let at = descriptors.as_mut_ptr().wrapping_add(index * stride);
            // SAFETY: `descriptors` has room for a descriptor at each multiple of the stride.
            unsafe { at.write_bytes(0, size_of::<DXGK_SEGMENTDESCRIPTOR4>()) };
        }
        let output = DXGK_QUERYSEGMENTOUT4 {
            NbSegment: count,
            pSegmentDescriptor: descriptors.as_mut_ptr(),
            SegmentDescriptorStride: stride,
            ..DXGK_QUERYSEGMENTOUT4::ZERO
        };
        let output = self.query(KIND, input, output)?;
        Ok(self.read_segments(count, stride, &descriptors, output))
    }

    fn read_segments(
        &self,
        count: u32,
        stride: usize,
        descriptors: &Guarded<u8>,
        output: DXGK_QUERYSEGMENTOUT4,
    ) -> Segments {
        const BYTES: usize = size_of::<DXGK_SEGMENTDESCRIPTOR4>();
        let bytes = descriptors.bytes();
        if output.NbSegment != count {
            self.driver().breach(format!(
                "QUERYSEGMENT4: {count} segments in the first call, {} in the second",
                output.NbSegment
            ));
        }
        let mut list = Vec::new();
        for chunk in bytes.chunks_exact(stride.max(1)) {
            if chunk[BYTES..].iter().any(|byte| *byte != GAP) {
                self.driver().breach(String::from(
                    "QUERYSEGMENT4: a segment descriptor was written past its end: the stride is \
                     not the size",
                ));
            }
            let mut raw = [0u8; BYTES];
            raw.copy_from_slice(&chunk[..BYTES]);
            // SAFETY: the descriptor is made of integers, for which every value is one.
            list.push(unsafe { std::mem::transmute::<[u8; BYTES], DXGK_SEGMENTDESCRIPTOR4>(raw) });
        }
        Segments {
            reported: count,
            list,
            paging: PagingBuffer {
                segment: output.PagingBufferSegmentId,
                size: output.PagingBufferSize,
                private_size: output.PagingBufferPrivateDataSize,
            },
        }
    }

    /// Asks for the description of each page-table level, leaf first.
    pub(super) fn query_levels(&self, levels: u32) -> DdiResult<Vec<DXGK_PAGE_TABLE_LEVEL_DESC>> {
        let kind = DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_PAGETABLELEVELDESC;
        let levels = u16::try_from(levels).unwrap_or(u16::MAX).min(8);
        let describe = |level| {
            let input = DXGK_QUERYPAGETABLELEVELDESCIN {
                LevelIndex: level,
                PhysicalAdapterIndex: 0,
            };
            self.query(kind, input, DXGK_PAGE_TABLE_LEVEL_DESC::ZERO)
        };
        (0..levels).map(describe).collect()
    }

    /// Asks for the precision of time stamps in each of `nodes` history buffers.
    pub(super) fn query_precision(&self, nodes: u32) -> DdiResult<Vec<u32>> {
        let kind = DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_HISTORYBUFFERPRECISION;
        let nodes = usize::try_from(nodes.min(64)).unwrap_or(0);
        let output = lend(&vec![DXGKARG_HISTORYBUFFERPRECISION::ZERO; nodes])?;
        self.query_lent(kind, 0u32, &output)?;
        Ok(output
            .values()
            .iter()
            .map(|precision| precision.PrecisionBits)
            .collect())
    }
}

fn lend<T: Copy>(values: &[T]) -> DdiResult<Guarded<T>> {
    let no_memory = DdiError::NoMemory {
        ddi: "DxgkDdiQueryAdapterInfo",
    };
    Guarded::from_slice(values).map_err(|_| no_memory)
}
