//! Matrix products, by cubek's kernels.
//!
//! Burn tunes each shape of a product over up to 33 of them, and a compiler needs a second or more for each. These are
//! the ones that were fastest on an H100 and an H200 for the shapes of BERT-base, and what runs where those do not.

use burn::tensor::DType;
use burn_backend::calculate_matmul_output;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::CubeTuneId;
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::tune::{
    LocalTuner, OrderedSettings, Patience, Tunable, TunableSet, TuneGroup, local_tuner,
};
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level::Strategy;
use cubek::matmul::multi_level::components::tile::TileMatmulKind;
use cubek::matmul::multi_level::definition::adjust_dtypes;
use cubek::matmul::multi_level::routines::TileSizeSelection;
use cubek::matmul::multi_level::routines::batch::simple::SimpleArgs;
use cubek::matmul::multi_level::routines::batch::simple_unit::SimpleUnitSelectionArgs;
use cubek::matmul::routine::BlueprintStrategy::Inferred;
use cubek::matmul::tune_key::MatmulAutotuneKey;
use cubek::std::InputBinding;

use super::memory::empty;

type Operands = (CubeTensor, CubeTensor, CubeTensor);

static TUNER: LocalTuner<MatmulAutotuneKey, CubeTuneId> = local_tuner!();

/// `lhs · rhs` over their last two axes, of numbers of type `dtype`; operands may be views.
pub(super) fn product(lhs: CubeTensor, rhs: CubeTensor, dtype: DType) -> CubeTensor {
    let shape = calculate_matmul_output(lhs.meta.shape(), rhs.meta.shape())
        .expect("an operation checks the shapes of its operands");
    let output = empty(&lhs, shape, dtype);
    let client = lhs.client.clone();
    let id = CubeTuneId::new(&client, &lhs.device);
    let asked = client.clone();
    let candidates = TUNER.init(&id, move || candidates(&asked));
    TUNER.execute(&id, &client, candidates, (lhs, rhs, output.clone()));
    output
}

/// A matrix, or matrices, read in the other direction.
pub(super) fn transposed(mut tensor: CubeTensor) -> CubeTensor {
    let rank = tensor.meta.rank();
    tensor.meta.swap(rank - 2, rank - 1);
    tensor
}

/// Tensor cores, the likely ones first, until one is slower than those before it; then a kernel that does without, then
/// one that takes every problem.
fn candidates(client: &Client) -> TunableSet<MatmulAutotuneKey, Operands, ()> {
    let patience = Patience {
        min_measured: 2,
        max_misses: 1,
    };
    let settings = OrderedSettings::default().with_patience(patience);
    let cores = TuneGroup::ordered("cores", |_: &MatmulAutotuneKey| 2, settings);
    let units = TuneGroup::new("units", |_: &MatmulAutotuneKey| 1);
    let last = TuneGroup::new("last", |_: &MatmulAutotuneKey| 0);
    let [cmma, mma] = [TileMatmulKind::Cmma, TileMatmulKind::Mma];
    let rows = |tile_matmul| SimpleArgs {
        multi_rows: true,
        tile_matmul,
    };
    let set = TunableSet::new(key, |_: &_, (lhs, rhs, out): &Operands| {
        let out = empty(out, out.meta.shape().clone(), out.dtype);
        (lhs.clone(), rhs.clone(), out)
    });
    // Where none can be measured, as without memory, CubeCL runs the first of the set.
    let mut set = set.with(tunable(Strategy::Naive).group(&last, |_| 0));
    for (place, strategy, tile) in [
        (3, Strategy::SpecializedTmaMma(Inferred(().into())), mma),
        (2, Strategy::SimpleTmaCmma(Inferred(rows(cmma))), cmma),
        (1, Strategy::SimpleCyclicCmma(Inferred(rows(cmma))), cmma),
        (0, Strategy::SimpleCyclicMma(Inferred(rows(mma))), mma),
    ] {
        let client = client.clone();
        set = set.with(tunable(strategy).group(&cores, move |key| {
            // One that the device lacks is compiled in vain.
            if supports(&client, tile, key) {
                place
            } else {
                -1
            }
        }));
    }
    let large = Inferred(SimpleUnitSelectionArgs {
        tile_size: TileSizeSelection::MaxTileSize,
    });
    set.with(tunable(Strategy::SimpleUnit(large)).group(&units, |_| 0))
}

fn tunable(strategy: Strategy) -> Tunable<MatmulAutotuneKey, Operands, ()> {
    let name = strategy.to_string();
    let strategy = strategy.into();
    Tunable::new(&name, move |(lhs, rhs, out): Operands| {
        let element = |tensor: &CubeTensor| dtype_to_storage_type(tensor.dtype);
        let mut elements = MatmulElems::from_globals(&MatmulGlobalElems {
            lhs: element(&lhs),
            rhs: element(&rhs),
            out: element(&out),
        });
        let client = out.client.clone();
        let [lhs, rhs] = [lhs, rhs].map(|tensor| {
            let element = element(&tensor);
            InputBinding::new(tensor.binding(), element)
        });
        launch_ref(&strategy, &client, lhs, rhs, out.binding(), &mut elements)
            .map_err(|error| format!("{error:?}"))
    })
}

/// Whether a device multiplies tiles of these types, which are what the strategies make of them (32-bit numbers become
/// TF32).
fn supports(client: &Client, tile: TileMatmulKind, key: &MatmulAutotuneKey) -> bool {
    let definition = &key.definition;
    let mut elements = MatmulElems::from_globals(&MatmulGlobalElems {
        lhs: definition.elem_lhs,
        rhs: definition.elem_rhs,
        out: definition.elem_out,
    });
    adjust_dtypes(client, &mut elements, tile.requires_accelerator());
    let (lhs, rhs, sum) = (
        elements.lhs_register,
        elements.rhs_register,
        elements.acc_register,
    );
    !tile.supported_sizes(client, lhs, rhs, sum).is_empty()
}

fn key((lhs, rhs, out): &Operands) -> MatmulAutotuneKey {
    let [of_lhs, of_rhs, of_out] =
        [lhs, rhs, out].map(|tensor| dtype_to_storage_type(tensor.dtype));
    MatmulAutotuneKey::generate(
        &lhs.client,
        lhs.meta.shape(),
        rhs.meta.shape(),
        lhs.meta.strides(),
        rhs.meta.strides(),
        lhs.meta.tiling,
        rhs.meta.tiling,
        of_lhs,
        of_rhs,
        of_out,
        None,
        None,
    )
}
