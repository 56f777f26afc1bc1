//! The closed lists of the card documentation: colours, types, and the properties of each component in schema
//! 2.0.

pub(super) const HEADER_TEMPLATES: [&str; 13] = [
    "blue",
    "wathet",
    "turquoise",
    "green",
    "yellow",
    "orange",
    "red",
    "carmine",
    "violet",
    "purple",
    "indigo",
    "grey",
    "default",
];

pub(super) const TAG_COLOURS: [&str; 13] = [
    "neutral",
    "blue",
    "turquoise",
    "lime",
    "orange",
    "violet",
    "indigo",
    "wathet",
    "green",
    "yellow",
    "red",
    "purple",
    "carmine",
];

pub(super) const BUTTON_TYPES: [&str; 9] = [
    "default",
    "primary",
    "danger",
    "text",
    "primary_text",
    "danger_text",
    "primary_filled",
    "danger_filled",
    "laser",
];

pub(super) const BUTTON_SIZES: [&str; 4] = ["tiny", "small", "medium", "large"];

pub(super) const FLEX_MODES: [&str; 5] = ["none", "stretch", "flow", "bisect", "trisect"];

pub(super) const ACTION_LAYOUTS: [&str; 3] = ["bisected", "trisection", "flow"];

pub(super) const WIDTH_MODES: [&str; 3] = ["default", "compact", "fill"];

pub(super) const TABLE_DATA_TYPES: [&str; 7] =
    ["text", "lark_md", "options", "number", "persons", "date", "markdown"];

pub(super) const ROOT_2_0: [&str; 5] = ["schema", "config", "card_link", "header", "body"];

pub(super) const CONFIG_2_0: [&str; 10] = [
    "enable_forward",
    "update_multi",
    "width_mode",
    "use_custom_translation",
    "enable_forward_interaction",
    "style",
    "summary",
    "streaming_mode",
    "streaming_config",
    "locales",
];

pub(super) const HEADER_2_0: [&str; 6] =
    ["title", "subtitle", "text_tag_list", "template", "icon", "padding"];

pub(super) const BODY_2_0: [&str; 7] = [
    "direction",
    "padding",
    "horizontal_spacing",
    "vertical_spacing",
    "horizontal_align",
    "vertical_align",
    "elements",
];

pub(super) const TEXT_2_0: [&str; 7] =
    ["tag", "content", "i18n_content", "text_size", "text_align", "text_color", "lines"];

/// The properties of each component in schema 2.0, besides `tag`, `element_id` and `margin`. Components that
/// take input from people are left out: a custom bot never hears of it.
pub(super) const COMPONENTS_2_0: [(&str, &[&str]); 10] = [
    ("markdown", &["content", "i18n_content", "text_align", "text_size", "icon"]),
    ("div", &["text", "fields", "icon", "width"]),
    ("hr", &[]),
    (
        "img",
        &[
            "img_key",
            "i18n_img_key",
            "alt",
            "title",
            "corner_radius",
            "scale_type",
            "size",
            "transparent",
            "preview",
        ],
    ),
    (
        "column_set",
        &[
            "flex_mode",
            "horizontal_spacing",
            "vertical_spacing",
            "horizontal_align",
            "background_style",
            "columns",
        ],
    ),
    (
        "column",
        &[
            "width",
            "weight",
            "vertical_align",
            "horizontal_align",
            "vertical_spacing",
            "horizontal_spacing",
            "direction",
            "padding",
            "background_style",
            "elements",
        ],
    ),
    (
        "collapsible_panel",
        &[
            "expanded",
            "background_color",
            "header",
            "border",
            "direction",
            "vertical_spacing",
            "horizontal_spacing",
            "vertical_align",
            "horizontal_align",
            "padding",
            "elements",
        ],
    ),
    (
        "table",
        &[
            "page_size",
            "row_height",
            "row_max_height",
            "freeze_first_column",
            "header_style",
            "columns",
            "rows",
        ],
    ),
    ("chart", &["aspect_ratio", "color_theme", "chart_spec", "preview", "height"]),
    (
        "button",
        &[
            "text",
            "type",
            "size",
            "width",
            "icon",
            "hover_tips",
            "disabled",
            "disabled_tips",
            "confirm",
            "behaviors",
            "name",
        ],
    ),
];
