//! The packs that come with Envora and the SHA-256 of each. Written by `cargo xtask gen factors`.

pub(super) const STARTER: &[(&str, &str)] = &[
    (
        include_str!("../../packs/desnz-2021.tsv"),
        "4be3d145b5f77833f68f699477de4ac017bc1126774abc0657f42036547a8146",
    ),
    (
        include_str!("../../packs/desnz-2022.tsv"),
        "8a0263a861a2e82fe2cb56157b52d29ecb32f497605bb70d6ba6b7bf9e2ad06b",
    ),
    (
        include_str!("../../packs/desnz-2023.tsv"),
        "9f37e2f5108ecbb99c7064773cb96b6282106a31bf7cb132fb3e042eab14bc48",
    ),
    (
        include_str!("../../packs/desnz-2024.tsv"),
        "c28498d7f137c5da0c333c9f1ab1a5dd73b3ec679fd7bab9d82e3c0704d8aa18",
    ),
    (
        include_str!("../../packs/desnz-2025.tsv"),
        "0e71948b6af32bda1d104036d9993495a7f119141829f8883904cb03a28e0454",
    ),
    (
        include_str!("../../packs/epa-hub-2023.tsv"),
        "2dc99f92a88423c028e433c3cc384dde7931e8f0f2c9d3b820067eb07590b1f1",
    ),
    (
        include_str!("../../packs/epa-hub-2024.tsv"),
        "d2b9fd8f78f9b90df843b98ecd858ea9322c15dba0bd1be81b06aca61ff854b7",
    ),
    (
        include_str!("../../packs/epa-hub-2025.tsv"),
        "9ee7ac4aa42372568e918b2cc41b15e897c9c7d9a0942912fa6b19b092f292bc",
    ),
];
