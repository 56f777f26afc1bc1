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

pub(super) const TEXT_2_0: [&str; 8] =
    ["tag", "element_id", "content", "i18n_content", "text_size", "text_align", "text_color", "lines"];

pub(super) const SUMMARY_2_0: [&str; 2] = ["content", "i18n_content"];

pub(super) const TEXT_TAG_2_0: [&str; 4] = ["tag", "element_id", "text", "color"];

pub(super) const PANEL_HEADER_2_0: [&str; 9] = [
    "title",
    "background_color",
    "width",
    "vertical_align",
    "padding",
    "position",
    "icon",
    "icon_position",
    "icon_expanded_angle",
];

pub(super) const ICON_2_0: [&str; 5] = ["tag", "token", "color", "img_key", "size"];

pub(super) const BORDER_2_0: [&str; 2] = ["color", "corner_radius"];

pub(super) const OPEN_URL_2_0: [&str; 5] = ["type", "default_url", "pc_url", "ios_url", "android_url"];

pub(super) const CALLBACK_2_0: [&str; 2] = ["type", "value"];

pub(super) const TABLE_HEADER_2_0: [&str; 6] =
    ["text_align", "text_size", "background_style", "text_color", "bold", "lines"];

pub(super) const TABLE_COLUMN_2_0: [&str; 8] = [
    "name",
    "display_name",
    "width",
    "vertical_align",
    "horizontal_align",
    "data_type",
    "format",
    "date_format",
];

/// The properties of each component in schema 2.0, besides `tag`, `element_id` and `margin`. Components that
/// take input from people are left out: a custom bot never hears of it. `fields` of a `div` stand in a sample of 2.0 only
/// and not in its table of properties, so they are refused.
pub(super) const COMPONENTS_2_0: [(&str, &[&str]); 10] = [
    ("markdown", &["content", "i18n_content", "text_align", "text_size", "icon"]),
    ("div", &["text", "icon", "width"]),
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
            "action",
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
            "action",
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
