//! [`crate::add_rows_into`].

use burn::tensor::{Int, Tensor};
use burn_cubecl::Cube;

use super::rows::add_rows;
use super::{ON_GPU, plain, queue_fixed};

pub(crate) fn add_rows_into(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    rows: Tensor<3>,
    constant: usize,
) -> Tensor<2> {
    let ids = ids.try_into_primitive::<Cube>().expect(ON_GPU);
    let (table, rows) = (plain(table), plain(rows));
    let whole = (table.shape.clone(), table.dtype);
    let launch = move |[table, ids, rows]: [_; 3]| [add_rows(table, ids, rows, constant)];
    let [sum] = queue_fixed("add_rows_into", [table, ids, rows], [whole], launch);
    Tensor::from_primitive::<Cube>(sum)
}
