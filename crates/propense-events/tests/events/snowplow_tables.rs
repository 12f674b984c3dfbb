//! Snowplow's enriched events in the dresses that databases and spreadsheets give them.

use propense_events::{Event, Format};

use crate::read;

/// The columns of the pipeline's lines, in their order.
const NAMES: &str = "\
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id \
    name_tracker v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint \
    domain_userid domain_sessionidx network_userid geo_country geo_region geo_city \
    geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization \
    ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost \
    page_urlport page_urlpath page_urlquery page_urlfragment refr_urlscheme refr_urlhost \
    refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium refr_source \
    refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts se_category \
    se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation \
    tr_total tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name \
    ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min \
    pp_yoffset_max useragent br_name br_family br_version br_type br_renderengine br_lang \
    br_features_pdf br_features_flash br_features_java br_features_director \
    br_features_quicktime br_features_realplayer br_features_windowsmedia \
    br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth \
    br_viewheight os_name os_family os_manufacturer os_timezone dvce_type dvce_ismobile \
    dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height tr_currency \
    tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency \
    geo_timezone mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid \
    refr_dvce_tstamp derived_contexts domain_sessionid derived_tstamp event_vendor \
    event_name event_format event_version event_fingerprint true_tstamp";

const LINES: &str = include_str!("fixtures/snowplow.tsv");

/// The lines that are whole, cut into fields.
fn rows() -> Vec<Vec<&'static str>> {
    let rows = LINES.lines().map(|line| line.split('\t').collect());
    rows.filter(|row: &Vec<&str>| row.len() == 131).collect()
}

fn names() -> Vec<&'static str> {
    NAMES.split_whitespace().collect()
}

/// The events of a table that every row of is counted.
fn events(text: &str, what: &str) -> Vec<Event> {
    let table = read(text, None).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(table.format, Format::Snowplow, "{what}");
    assert_eq!((table.rows, table.rejected), (10, 2), "{what}");
    table.events
}

fn table(header: &[&str], rows: &[Vec<&str>], delimiter: &str, end: &str) -> String {
    let lines =
        std::iter::once(header.join(delimiter)).chain(rows.iter().map(|row| row.join(delimiter)));
    lines.map(|line| line + end).collect()
}

/// With quotes around every field, doubled inside.
fn quoted(header: &[&str], rows: &[Vec<&str>], delimiter: &str) -> String {
    let quote = |field: &&str| format!("\"{}\"", field.replace('"', "\"\""));
    let quoted: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(quote).collect())
        .collect();
    let rows: Vec<Vec<&str>> = quoted
        .iter()
        .map(|row| row.iter().map(String::as_str).collect())
        .collect();
    table(header, &rows, delimiter, "\n")
}

#[test]
fn the_columns_are_131() {
    assert_eq!((names().len(), rows().len()), (131, 10));
}

#[test]
fn every_dress_holds_the_same_events() {
    let (names, rows) = (names(), rows());
    let whole: String = rows.iter().map(|row| row.join("\t") + "\n").collect();
    let plain = events(&whole, "plain");
    assert_eq!(plain.len(), 8);
    let upper: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
    let turned = |row: &Vec<&'static str>| row.iter().rev().copied().collect::<Vec<_>>();
    let backwards: Vec<_> = rows.iter().map(turned).collect();
    let more = |row: &Vec<&'static str>| [row.as_slice(), &["2023-11-14 22:13:20"]].concat();
    let longer: Vec<_> = rows.iter().map(more).collect();
    for (dress, text) in [
        ("byte-order mark", format!("\u{feff}{whole}")),
        ("line ends", whole.replace('\n', "\r\n")),
        (
            "a column more",
            longer.iter().map(|row| row.join("\t") + "\n").collect(),
        ),
        ("header", table(&names, &rows, "\t", "\n")),
        ("header in capitals", table(&upper, &rows, "\t", "\r\n")),
        (
            "columns in another order",
            table(&turned(&names), &backwards, "\t", "\n"),
        ),
        (
            "header and a column more",
            table(&more(&names), &longer, "\t", "\n"),
        ),
        ("quoted, commas", quoted(&names, &rows, ",")),
        ("quoted, tabs", quoted(&turned(&names), &backwards, "\t")),
        (
            "byte-order mark, quoted, semicolons",
            format!("\u{feff}{}", quoted(&names, &rows, ";")),
        ),
    ] {
        assert_eq!(events(&text, dress), plain, "{dress}");
    }
}

/// A title with a line end in it, quoted as databases quote it, and only the columns that matter.
#[test]
fn a_selection_with_a_column_for_each_schema() {
    let text = "EVENT_NAME,COLLECTOR_TSTAMP,PAGE_TITLE,DOMAIN_USERID,\
                UNSTRUCT_EVENT_COM_SNOWPLOWANALYTICS_SNOWPLOW_ECOMMERCE_SNOWPLOW_ECOMMERCE_ACTION_1,\
                CONTEXTS_COM_SNOWPLOWANALYTICS_SNOWPLOW_ECOMMERCE_PRODUCT_1\n\
                snowplow_ecommerce_action,2023-11-14 22:13:20,\"two\nlines\",d-1,\
                \"{\"\"type\"\":\"\"product_view\"\"}\",\"[{\"\"id\"\":\"\"A\"\",\"\"price\"\":2}]\"\n";
    let table = read(text, None).expect("recognised");
    assert_eq!((table.format, table.rejected), (Format::Snowplow, 0));
    let event = &table.events[0];
    assert_eq!(event.kind.name(), "view_item");
    assert_eq!(
        (event.items[0].item_id.as_str(), event.items[0].price),
        ("A", Some(2.0))
    );
}
